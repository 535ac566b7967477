/**
 * Makes the methods and types of both clients from the server's own OpenAPI description. `node
 * test/client-library/generate.ts URL-OF-A-CONTROL-PORT` writes them; a test holds them equal to what it would write.
 */
import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { type Description, descriptionSchema } from '../contract/support/described.ts';

type Node = Readonly<Record<string, unknown>>;
const node = z.record(z.string(), z.unknown());
const nodes = z.array(node);

export const typescriptFile = new URL('../../src/client/operations.ts', import.meta.url);
export const pythonFile = new URL('../../src/client/python/holdpoint/_operations.py', import.meta.url);

interface Call {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly pathNames: readonly string[];
  readonly query: readonly { readonly name: string; readonly required: boolean; readonly schema: Node }[];
  readonly body: Node | null;
  readonly answer: Node;
  readonly isJson: boolean;
  /** Both ways a JSON value a line. */
  readonly isLines: boolean;
}

/** Streams, pages for people and binary tiles are for other tools. */
const leftOut = new Set(['console', 'events', 'readTile', 'readEntryBundle']);

function callsOf(description: Description): Call[] {
  return Object.entries(description.paths)
    .flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]): Call => {
        const status = Object.keys(operation.responses).find((code) => code.startsWith('2')) ?? '';
        const [[type, media] = ['', { schema: {} }]] = Object.entries(
          operation.responses[status]?.content ?? {},
        );
        const of = (place: string) => operation.parameters.filter((one) => one.in === place);
        return {
          id: operation.operationId,
          method: method.toUpperCase(),
          path,
          summary: operation.summary,
          pathNames: of('path').map(({ name }) => name),
          query: of('query').map(({ name, required, schema }) => ({ name, required, schema })),
          body: Object.values(operation.requestBody?.content ?? {})[0]?.schema ?? null,
          answer: media.schema,
          isJson: /json/.test(type),
          isLines: /ndjson/.test(type),
        };
      }),
    )
    .filter(({ id }) => !leftOut.has(id))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

function nameOf(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1).replace(/\W/g, '');
}

/** The TypeScript type of a schema. */
function typeOf(schema: Node): string {
  const { $ref, type } = schema;
  if (typeof $ref === 'string') return nameOf($ref);
  if ('const' in schema) return JSON.stringify(schema['const']);
  if (Array.isArray(schema['enum'])) return schema['enum'].map((one) => JSON.stringify(one)).join(' | ');
  const forms = nodes.safeParse(schema['anyOf'] ?? schema['oneOf']);
  if (forms.success) return [...new Set(forms.data.map(typeOf))].join(' | ');
  // A type or null, or several: each as if it stood alone.
  const types = z.array(z.string()).safeParse(type);
  if (types.success) return types.data.map((one) => typeOf({ ...schema, type: one })).join(' | ');
  if (type === 'string') return 'string';
  if (type === 'integer' || type === 'number') return 'number';
  if (type === 'boolean') return 'boolean';
  if (type === 'null') return 'null';
  if (type === 'array') {
    const items = node.safeParse(schema['items']);
    return `readonly (${items.success ? typeOf(items.data) : 'unknown'})[]`;
  }
  return type === 'object' ? objectType(schema) : 'unknown';
}

function objectType(schema: Node): string {
  const properties = z.record(z.string(), node).safeParse(schema['properties']);
  if (properties.success && Object.keys(properties.data).length > 0) {
    const required = z.array(z.string()).catch([]).parse(schema['required']);
    const fields = Object.entries(properties.data).map(([name, inner]) => {
      const isRequired = required.includes(name) && !('default' in inner);
      return `readonly ${/^\w+$/.test(name) ? name : JSON.stringify(name)}${isRequired ? '' : '?'}: ${typeOf(inner)}`;
    });
    return `{ ${fields.join('; ')} }`;
  }
  const values = node.safeParse(schema['additionalProperties']);
  // Unlike Record, an index signature may refer to the type that it is in.
  return `{ readonly [name: string]: ${values.success ? typeOf(values.data) : 'unknown'} }`;
}

function inputOf({ pathNames, query, body, isLines }: Call): string {
  const bodyType = (schema: Node) => (isLines ? `readonly (${typeOf(schema)})[]` : typeOf(schema));
  const fields = [
    ...pathNames.map((name) => `readonly ${name}: string`),
    ...query.map(({ name, required, schema }) => `readonly ${name}${required ? '' : '?'}: ${typeOf(schema)}`),
    ...(body === null ? [] : [`readonly body: ${bodyType(body)}`]),
  ];
  if (fields.length === 0) return '';
  const optional = pathNames.length === 0 && body === null && query.every(({ required }) => !required);
  return `input: { ${fields.join('; ')} }${optional ? ' = {}' : ''}`;
}

export function typescriptOf(description: Description): string {
  const types = Object.entries(description.components.schemas).map(([name, schema]) => {
    const text = typeof schema['description'] === 'string' ? `/** ${schema['description']} */\n` : '';
    return `${text}export type ${nameOf(name)} = ${typeOf(schema)};\n`;
  });
  const methods = callsOf(description).map((call) => {
    const input = inputOf(call);
    const one = call.isJson ? typeOf(call.answer) : 'string';
    const answer = call.isLines ? `readonly (${one})[]` : one;
    const send = call.isLines ? 'sendLines' : call.isJson ? 'send' : 'sendForText';
    const given = input === '' ? '{}' : 'input';
    return `    /** ${call.summary}. */
    ${call.id}: (${input}): Promise<${answer}> => ${send}('${call.method}', '${call.path}', ${given}),`;
  });
  return `/**
 * Types and calls of the control port, made from its OpenAPI description by test/client-library/generate.ts: not to be
 * edited. Path parameters, query and \`body\` of a call are one object.
 */
${types.join('')}
export type Input = Readonly<Record<string, unknown>>;
export type Send = <Answer>(method: string, path: string, input: Input) => Promise<Answer>;
export type SendForText = (method: string, path: string, input: Input) => Promise<string>;
export type SendLines = <Line>(method: string, path: string, input: Input) => Promise<readonly Line[]>;

/** Every call, by its operationId. */
export function createOperations(send: Send, sendForText: SendForText, sendLines: SendLines) {
  return {
${methods.join('\n')}
  };
}
`;
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
/** Names that Python keeps for itself. */
const pythonName = (name: string): string => (['from', 'in', 'is', 'not'].includes(name) ? `${name}_` : name);

export function pythonOf(description: Description): string {
  const methods = callsOf(description).map((call) => {
    const required = [...call.pathNames, ...call.query.filter((one) => one.required).map(({ name }) => name)];
    const optional = call.query.filter((one) => !one.required).map(({ name }) => name);
    const parameters = [
      'self',
      ...required.map(pythonName),
      ...(call.body === null ? [] : ['body']),
      ...optional.map((name) => `${pythonName(name)}=None`),
    ];
    const pairs = (names: readonly string[]) =>
      names.map((name) => `"${name}": ${pythonName(name)}`).join(', ');
    const body = call.body === null ? 'None' : 'body';
    const query = pairs(call.query.map(({ name }) => name));
    return `    def ${snake(call.id)}(${parameters.join(', ')}):
        """${call.summary}."""
        return self.${call.isLines ? '_lines' : '_call'}("${call.method}", "${call.path}", {${pairs(call.pathNames)}}, {${query}}, ${body})
`;
  });
  return `"""Calls of the control port, made from its OpenAPI description by test/client-library/generate.ts: not to be edited."""


class Operations:
${methods.join('\n')}`;
}

if (process.argv[1] !== undefined && import.meta.url === new URL(`file://${process.argv[1]}`).href) {
  const answer = await fetch(`${process.argv[2]}/openapi.json`);
  const description = descriptionSchema.parse(await answer.json());
  writeFileSync(typescriptFile, typescriptOf(description));
  writeFileSync(pythonFile, pythonOf(description));
}
