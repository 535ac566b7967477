/**
 * Calls that are written without a wrapper: a name and what its tool is handed, as in the lists of Workers AI
 * (https://developers.cloudflare.com/workers-ai/features/function-calling/traditional/) and Oracle's OCI
 * (https://docs.oracle.com/iaas/api/#/en/generative-ai-inference/20231130/ChatResult). Pure.
 */
import type { ToolCallFact } from '../../core/facts.ts';
import { objectArguments } from '../amending/amendment.ts';
import { argumentsTextOf } from '../openai/call-arguments.ts';
import { addCall, addJsonCall, note } from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';

const argumentMembers = ['arguments', 'parameters', 'input', 'args'] as const;

/** True for such a call; a definition of a tool in its place would have no place in a list of calls. */
export function isPlainCall({ name, type }: JsonRecord): boolean {
  return textOf(name) !== '' && /^(|function)$/i.test(textOf(type));
}

function argumentMember(call: JsonRecord): string {
  return argumentMembers.find((member) => !isAbsent(call[member])) ?? 'arguments';
}

/** Adds the call to the facts. Two members that may be its arguments leave it open which of them is handed on. */
export function addPlainCall(call: JsonRecord, into: ToolCallFact[], defects: string[]): void {
  const id = textOf(call.id) || textOf(call.tool_use_id) || textOf(call.tool_call_id);
  const name = textOf(call.name);
  const value = call[argumentMember(call)];
  const others = argumentMembers.filter((member) => !isAbsent(call[member])).slice(1);
  if (others.length > 0) note(defects, 'a tool call is handed two things');
  if (isRecord(value)) addCall(into, defects, id, name, value, JSON.stringify(value));
  else addJsonCall(into, defects, id, name, argumentsTextOf(value, defects));
}

/** The call with other arguments, written as the first ones were. */
export function plainCallWith(call: JsonRecord, value: unknown): JsonRecord {
  const member = argumentMember(call);
  const next = objectArguments(value);
  return { ...call, [member]: typeof call[member] === 'string' ? JSON.stringify(next) : next };
}
