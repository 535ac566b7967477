/**
 * Models that a request to Bedrock's agents, knowledge bases and what ranks or rewrites has asked besides the one that answers:
 * those of collaborators, of single prompts, of rankers and filters
 * (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_InvokeInlineAgent.html). Each reads what is said, so
 * rules see the request with each. Pure.
 */
import { alsoAsking } from '../asked/insteads.ts';
import type { RequestBodyFacts } from '../protocol.ts';
import { note } from '../reading/reading.ts';
import { isRecord, type JsonRecord, textOf } from '../wire/json.ts';

const modelsMax = 64;
const nameMembers: ReadonlySet<string> = new Set([
  'foundationModel',
  'modelArn',
  'targetModelId',
  // A collaborator that is kept by its alias counts as the model that nobody can tell from outside.
  'agentAliasArn',
]);

/** What the workload and its tools say: no model reads by what stands there. */
const foreign: ReadonlySet<string> = new Set([
  'sessionAttributes',
  'promptSessionAttributes',
  'returnControlInvocationResults',
  'functionSchema',
  'apiSchema',
  'filter',
]);

/** The value must be bounded in depth, as readJson makes it. */
function modelsIn(value: unknown, into: Set<string>): void {
  if (Array.isArray(value)) {
    for (const element of value) modelsIn(element, into);
    return;
  }
  if (!isRecord(value)) return;
  for (const [name, member] of Object.entries(value)) {
    if (nameMembers.has(name) && textOf(member) !== '') into.add(textOf(member));
    else if (!foreign.has(name)) modelsIn(member, into);
  }
}

/** The facts with every other model that the body names; the first is the one that is asked where none is so far. */
export function withModelsWithin(
  body: JsonRecord,
  facts: RequestBodyFacts,
  defects: string[],
): RequestBodyFacts {
  const names = new Set<string>();
  modelsIn(body, names);
  if (names.size > modelsMax) note(defects, `more than ${modelsMax} models`);
  const [first = ''] = names;
  const model = facts.model || first;
  return alsoAsking({ ...facts, model }, [...names].slice(0, modelsMax));
}
