/**
 * An agent that is kept at a provider and named by its id: what answers where a request names no model, and nobody can tell from
 * outside which model it is made of. It counts as one, so that rules ask for it
 * (https://docs.mistral.ai/api/endpoint/agents, https://platform.openai.com/docs/api-reference/runs/createRun). Pure.
 */
import { isAbsent, type JsonRecord, textOf } from './json.ts';
import type { RequestBodyFacts } from './protocol.ts';
import { note } from './reading.ts';

/** The id that a member has; a defect where it is no text. */
function idIn(body: JsonRecord, member: 'agent_id' | 'assistant_id', defects: string[]): string {
  const value = body[member];
  if (!isAbsent(value) && typeof value !== 'string') note(defects, `\`${member}\` is not a text`);
  return textOf(value);
}

/** The facts with the agent that a body names, in the model's place or beside it. */
export function withAgent(body: JsonRecord, facts: RequestBodyFacts, defects: string[]): RequestBodyFacts {
  const agent = idIn(body, 'agent_id', defects);
  const assistant = idIn(body, 'assistant_id', defects);
  const model = facts.model || agent || assistant;
  // A run's own model is asked in the place of its assistant's.
  if (agent === '' || agent === model) return model === facts.model ? facts : { ...facts, model };
  return { ...facts, model, insteads: [...(facts.insteads ?? []), { model: agent }] };
}
