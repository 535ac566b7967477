/**
 * What is kept at a provider under an id and answers where a request names no model: an agent, an assistant, a prompt with its
 * model. Nobody can tell from outside which model that is, so the id counts as one, for rules to ask for
 * (https://docs.mistral.ai/api/endpoint/agents, https://platform.openai.com/docs/api-reference/runs/createRun,
 * https://platform.openai.com/docs/guides/text#reusable-prompts; Azure's agents by an `agent_reference`). Pure.
 */

import type { RequestBodyFacts } from '../protocol.ts';
import { note } from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { alsoAsking } from './insteads.ts';

/** The id that a member has; a defect where it is no text. */
function idIn(body: JsonRecord, member: 'agent_id' | 'assistant_id', defects: string[]): string {
  const value = body[member];
  if (!isAbsent(value) && typeof value !== 'string') note(defects, `\`${member}\` is not a text`);
  return textOf(value);
}

/** The name that Azure's reference to an agent has. */
function referredIn({ agent, agent_reference: reference }: JsonRecord): string {
  const named = [reference, agent].find((one) => isRecord(one) && one.type === 'agent_reference');
  return isRecord(named) ? textOf(named.name) : '';
}

function promptIn({ prompt }: JsonRecord): string {
  return isRecord(prompt) ? textOf(prompt.id) : '';
}

/** The facts with what a body names so, in the model's place; an agent also beside it. */
export function withAgent(body: JsonRecord, facts: RequestBodyFacts, defects: string[]): RequestBodyFacts {
  const agent = idIn(body, 'agent_id', defects) || referredIn(body);
  // A run's own model is asked in the place of its assistant's, and a response's in the place of its prompt's.
  const model = facts.model || agent || idIn(body, 'assistant_id', defects) || promptIn(body);
  return alsoAsking(model === facts.model ? facts : { ...facts, model }, agent === '' ? [] : [agent]);
}
