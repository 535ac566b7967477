/** Checks answers against the published description, as a client generated from it would. */
import { z } from 'zod';

const schema = z.record(z.string(), z.unknown());
const media = z.object({ schema, example: z.unknown().optional() });
const operationSchema = z.object({
  operationId: z.string(),
  summary: z.string(),
  description: z.string(),
  tags: z.array(z.string()),
  security: z.array(z.unknown()).optional(),
  'x-roles': z.array(z.string()).optional(),
  'x-permission': z.string().optional(),
  parameters: z.array(
    z.object({
      name: z.string(),
      in: z.string(),
      required: z.boolean(),
      description: z.string().optional(),
      schema,
    }),
  ),
  requestBody: z.object({ content: z.record(z.string(), media) }).optional(),
  responses: z.record(
    z.string(),
    z.object({ description: z.string(), content: z.record(z.string(), media) }),
  ),
});
export const descriptionSchema = z.object({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
  components: z.object({
    schemas: z.record(z.string(), schema),
    securitySchemes: z.record(z.string(), z.unknown()),
  }),
});
export type Description = z.output<typeof descriptionSchema>;

/** `GET /api/v1/holds/{id}` for each operation of the description. */
export function callsOf(description: Description): string[] {
  return Object.entries(description.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
}

/** What is wrong with an answer, '' when it is as described. Objects take no field that is not described. */
export function complaint(
  description: Description,
  call: string,
  answer: { status: number; headers: Headers; text: string },
): string {
  const [method = '', path = ''] = call.split(' ');
  const described = description.paths[path]?.[method.toLowerCase()]?.responses[String(answer.status)];
  if (described === undefined) return `${call} answered ${answer.status}, which is not described`;
  const type = answer.headers.get('content-type') ?? '';
  const content = described.content[type];
  if (content === undefined) return `${call} ${answer.status} answered ${type}, which is not described`;
  const what = `${call} ${answer.status}`;
  if (type === 'application/x-ndjson') {
    const lines = answer.text.trim().split('\n');
    return lines.map((line) => explain(description, content.schema, JSON.parse(line), what)).join('');
  }
  const value: unknown = /json/.test(type) ? JSON.parse(answer.text) : answer.text;
  return explain(description, content.schema, value, what);
}

/** What a schema of the description finds wrong with a value. */
export function explain(
  description: Description,
  part: Record<string, unknown>,
  value: unknown,
  what: string,
): string {
  const text = JSON.stringify({ ...part, $defs: description.components.schemas });
  const closed: unknown = JSON.parse(
    text.replaceAll('"#/components/schemas/', '"#/$defs/'),
    (_, node: unknown) => (isOpenObject(node) ? { ...node, additionalProperties: false } : node),
  );
  const parsed = z.fromJSONSchema(schema.parse(closed)).safeParse(value);
  return parsed.success ? '' : `${what}: ${z.prettifyError(parsed.error)}`;
}

function isOpenObject(node: unknown): node is object {
  return (
    typeof node === 'object' &&
    node !== null &&
    'type' in node &&
    node.type === 'object' &&
    'properties' in node &&
    !('additionalProperties' in node)
  );
}
