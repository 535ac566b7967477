/**
 * OpenAPI 3.1 of the control port, made from the operations that the server enforces and the schemas that its
 * handlers are typed by. Answers may gain fields, so objects in them are not closed; bodies and queries are.
 */
import { z } from 'zod';
import { type ErrorCode, httpStatusByCode } from '../core/errors.ts';
import { problemSchema } from './api/problem.ts';
import { eventSchema } from './api/sidecar.ts';
import type { Answer, Operation } from './operation.ts';

export interface DescribedRoute {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly operation: Operation | null;
}

type Json = Record<string, unknown>;

const tags = [
  { name: 'holds', description: 'What waits for a person, and rulings.' },
  { name: 'decisions', description: 'What was recorded.' },
  { name: 'erasure', description: 'Content that goes, and content that must stay.' },
  { name: 'ledger', description: 'For people who verify.' },
  { name: 'notifications', description: 'What is told outside, and what was not taken.' },
  { name: 'sidecar', description: 'Probes, metrics, events and policy.' },
];

/** Every call with a token may be refused so. */
const refusalsWithToken: readonly ErrorCode[] = [
  'invalid_argument',
  'unauthenticated',
  'forbidden',
  'too_many_attempts',
  'sign_in_unavailable',
  'internal',
];

/** The description of all routes that have an operation. */
export function describeApi(routes: readonly DescribedRoute[]): Json {
  const components = new Map<string, unknown>();
  const paths: Record<string, Json> = {};
  for (const { method, path, operation } of routes) {
    if (operation === null) continue;
    paths[path] = {
      ...paths[path],
      [method.toLowerCase()]: describeOperation(path, operation, components),
    };
  }
  schemaOf(eventSchema, components);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Holdpoint control API',
      version: '1',
      summary: 'The queue of holds, what was recorded, and the ledger of one sidecar.',
      description:
        'Every answer carries strict security headers and is not to be cached. Errors are problem+json (RFC 9457) with a closed code. A token never goes into a URL. Unknown parameters and fields are refused.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags,
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description:
            'Made with: holdpoint token new --name NAME --role ROLE. Each operation names the roles it takes.',
        },
      },
      schemas: Object.fromEntries([...components].sort(([a], [b]) => (a < b ? -1 : 1))),
    },
  };
}

function describeOperation(path: string, operation: Operation, components: Map<string, unknown>): Json {
  const { roles, body, permission } = operation;
  const configured = permission === 'any' ? 'any configured one' : `configured ones with ${permission}`;
  const others = permission === undefined ? '' : ` Also ${configured}.`;
  const who = roles === null ? 'No token is needed.' : `Roles: ${roles.join(', ')}.${others}`;
  return {
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    description: `${operation.description}\n\n${who}`,
    ...(roles === null ? { security: [] } : { 'x-roles': roles }),
    ...(permission === undefined ? {} : { 'x-permission': permission }),
    parameters: [...pathParameters(path), ...queryParameters(operation, components)],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: {
              [body.contentType ?? 'application/json']: {
                schema: schemaOf(body.schema, components),
                example: body.example,
              },
            },
          },
        }),
    responses: {
      ...answersByStatus(operation.answers, components),
      ...refusalsByStatus(operation, components),
    },
  };
}

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters({ query }: Operation, components: Map<string, unknown>): Json[] {
  return Object.entries(query?.shape ?? {}).map(([name, schema]) => {
    const { description, ...rest } = schemaOf(schema, components, 'output');
    const required = !schema.safeParse(undefined).success;
    return { name, in: 'query', required, description, schema: rest };
  });
}

function answersByStatus(answers: readonly Answer[], components: Map<string, unknown>): Json {
  const described = answers.map(({ status, description, contentType, schema, example }) => {
    const media = { schema: schemaOf(schema, components), ...(example === undefined ? {} : { example }) };
    return [String(status), { description, content: { [contentType]: media } }];
  });
  return Object.fromEntries(described);
}

function refusalsByStatus({ roles, refusals }: Operation, components: Map<string, unknown>): Json {
  const all = [...new Set([...(roles === null ? [] : refusalsWithToken), ...refusals])];
  const statuses = [...new Set(all.map((code) => httpStatusByCode[code]))].sort((a, b) => a - b);
  const schema = schemaOf(problemSchema, components);
  return Object.fromEntries(
    statuses.map((status) => {
      const codes = all.filter((code) => httpStatusByCode[code] === status);
      const description = `Refused: ${codes.join(', ')}.`;
      return [String(status), { description, content: { 'application/problem+json': { schema } } }];
    }),
  );
}

/** The JSON Schema of `schema`; what has an id goes into the components and is referred to. */
function schemaOf(
  schema: z.ZodType,
  components: Map<string, unknown>,
  io: 'input' | 'output' = 'input',
): Json {
  const whole = z.toJSONSchema(z.object({ root: schema }), { io, unrepresentable: 'any' });
  const text = JSON.stringify(whole).replaceAll('"#/$defs/', '"#/components/schemas/');
  const { properties, $defs } = z
    .object({
      properties: z.object({ root: z.record(z.string(), z.unknown()) }),
      $defs: z.record(z.string(), z.unknown()).default({}),
    })
    .parse(JSON.parse(text));
  for (const [id, definition] of Object.entries($defs)) components.set(id, definition);
  return properties.root;
}
