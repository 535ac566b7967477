/**
 * What Mistral is handed now and gives to a model later, or at once behind a name that it was kept under: prompts and
 * skills of its registry, connectors and libraries, judges and the records they judge, what a workflow is run with
 * (https://docs.mistral.ai/api). Pure.
 */
import { serverAddress } from '../openai/offered-tools.ts';
import { readTextRequest } from '../openai/text-requests.ts';
import type { OperationName, RequestHead, RequestReading } from '../protocol.ts';
import { modelName, note, openRequest } from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';

const connectors: OperationName = 'connectors';

/** Routes by their last segments; `*` stands for one. */
const routes: readonly (readonly [tail: readonly string[], OperationName])[] = [
  ...['v2/prompts', 'v2/prompts/*', 'v2/prompts/*/versions', 'v2/prompts/*/versions/*'].map(to('prompts')),
  ...['v2/skills', 'v2/skills/*', 'v2/skills/*/versions', 'v2/skills/*/versions/*'].map(to('skills')),
  ...[
    ...['observability/judges', 'observability/judges/*', 'observability/judges/*/live-judging'],
    ...['dataset-records/*/live-judging', 'chat-completion-events/*/live-judging'],
  ].map(to('judges')),
  ...['datasets/*/records', 'dataset-records/*/payload', 'dataset-records/*/properties'].map(to('datasets')),
  ...[
    ...['workflows/*/execute', 'workflows/registrations/*/execute'],
    ...['workflows/schedules', 'workflows/schedules/*', 'workflows/schedules/*/trigger'],
    ...['signals', 'updates', 'queries', 'reset'].map((name) => `workflows/executions/*/${name}`),
  ].map(to('workflows')),
  ...['libraries', 'libraries/*', 'libraries/*/documents', 'libraries/*/documents/*'].map(to('libraries')),
  ...['connectors', 'connectors/*'].map(to(connectors)),
];

function to(operation: OperationName) {
  return (path: string) => [path.split('/'), operation] as const;
}

export const keptOperations: ReadonlySet<OperationName> = new Set(routes.map(([, operation]) => operation));

/** What a path means that is sent to, by its segments; `unknown` for another. */
export function keptOperationOf(segments: readonly string[]): OperationName {
  const found = routes.find(([tail]) => {
    const offset = segments.length - tail.length;
    return offset >= 0 && tail.every((name, i) => name === '*' || name === segments[offset + i]);
  });
  return found?.[1] ?? 'unknown';
}

function member(record: JsonRecord, name: string): JsonRecord {
  const value = record[name];
  return isRecord(value) ? value : {};
}

/** A client may encode what it runs a workflow with, and encrypt it. */
function isEncoded(body: JsonRecord): boolean {
  return [body, member(body, 'schedule')].some((of) => !isAbsent(member(of, 'input').b64payload));
}

/** What a model is told of a server of tools, and where that is. Beside it stand the keys that it takes. */
function readConnector(bytes: Buffer, head: RequestHead): RequestReading {
  const members = { system: ['system_prompt'], text: ['name', 'title', 'description'] };
  const { facts, defects } = readTextRequest(bytes, head, members);
  const { server, ...params } = facts.params;
  const { body } = openRequest(bytes);
  const offered = { name: textOf(body?.name), description: serverAddress(server) };
  return { facts: { ...facts, params, tools: isAbsent(server) ? [] : [offered] }, defects };
}

/** Any of its words counts; a judge says who judges. */
export function readKept(operation: OperationName, bytes: Buffer, head: RequestHead): RequestReading {
  if (operation === connectors) return readConnector(bytes, head);
  const reading = readTextRequest(bytes, head, { system: [], text: null });
  const { body } = openRequest(bytes);
  if (body === null) return reading;
  const defects = [...reading.defects];
  const model = body.model_name ?? member(body, 'judge_definition').model_name;
  const facts = isAbsent(model) ? reading.facts : { ...reading.facts, model: modelName(model, defects) };
  if (isEncoded(body)) note(defects, 'what a workflow is run with is encoded');
  return { facts, defects };
}
