/**
 * Whether all clients put the pieces of a streamed tool call together as they are put together here. Some pass over an
 * event that others read: the OpenAI SDKs stop at `[DONE]` and wrap what is named `thread.…`, the AI SDK drops an event
 * with a member of another type than is documented, and it and LangChain read the first choice alone, whatever its
 * index. Who misses one piece of several reads another call. Pure.
 */
import { isListOf, isNumber, isText } from '../reading/documented-types.ts';
import { isAbsent, isRecord, type JsonRecord } from '../wire/json.ts';
import type { ChatCall } from './chat.ts';

/** One tool call of one choice, as far as it has come. */
export interface CallInProgress extends ChatCall {
  /** Its place among the deltas; a later call may take the same place over. */
  readonly index: number;
  /** Its first piece says that place; to clients such as LiteLLM one that does not is at the first. */
  readonly isPlaced: boolean;
  /** Who passes over the pieces so far: nobody ('') or the same clients over all of them. */
  readonly missedBy: string;
  /** What clients have of its input that pass over what says '' of whom or what it is; null where they do not have the call. */
  strictInput: string | null;
  /** What it was where the word `[DONE]` first stood in an event, at which LiteLLM stops; null where it did not. */
  inputAtWord: string | null;
  /** The choice it is of. */
  readonly choice: number;
  otherwise: readonly string[];
}

function haveNumbers(value: unknown, names: readonly string[]): boolean {
  return isAbsent(value) || (isRecord(value) && names.every((name) => isNumber(value[name])));
}

function isUsage(value: unknown): boolean {
  return (
    haveNumbers(value, ['prompt_tokens', 'completion_tokens', 'total_tokens']) &&
    (!isRecord(value) ||
      (haveNumbers(value.prompt_tokens_details, ['cached_tokens', 'cache_write_tokens']) &&
        haveNumbers(value.completion_tokens_details, [
          'reasoning_tokens',
          'accepted_prediction_tokens',
          'rejected_prediction_tokens',
        ])))
  );
}

function isToken(value: unknown): boolean {
  return isRecord(value) && typeof value.token === 'string' && typeof value.logprob === 'number';
}

function areLogprobs(value: unknown): boolean {
  const isEntry = (entry: unknown): boolean =>
    isToken(entry) &&
    isRecord(entry) &&
    Array.isArray(entry.top_logprobs) &&
    entry.top_logprobs.every(isToken);
  return (
    isAbsent(value) ||
    (isRecord(value) && isListOf(value.content, isEntry) && isListOf(value.refusal, isEntry))
  );
}

function isExtraContent(value: unknown): boolean {
  if (isAbsent(value)) return true;
  const google = isRecord(value) ? value.google : '';
  return isAbsent(google) || (isRecord(google) && isText(google.thought_signature));
}

function isPiece(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const fn = value.function;
  return (
    typeof value.index === 'number' &&
    isText(value.id) &&
    (isAbsent(value.type) || value.type === '' || value.type === 'function') &&
    isRecord(fn) &&
    isText(fn.name) &&
    isText(fn.arguments) &&
    isExtraContent(value.extra_content)
  );
}

const textMembers = ['content', 'refusal', 'reasoning', 'reasoning_content'];

function isDelta(value: unknown): boolean {
  if (isAbsent(value)) return true;
  if (!isRecord(value)) return false;
  const { role, annotations } = value;
  return (
    (isAbsent(role) || role === '' || role === 'assistant') &&
    textMembers.every((name) => isText(value[name])) &&
    isListOf(value.tool_calls, isPiece) &&
    isListOf(annotations, () => false)
  );
}

function isChoice(value: unknown): boolean {
  return (
    isRecord(value) &&
    typeof value.index === 'number' &&
    isText(value.finish_reason) &&
    areLogprobs(value.logprobs) &&
    isDelta(value.delta)
  );
}

function isAsDocumented(chunk: JsonRecord): boolean {
  return (
    isText(chunk.id) &&
    isText(chunk.model) &&
    isNumber(chunk.created) &&
    isUsage(chunk.usage) &&
    isListOf(chunk.choices, isChoice)
  );
}

/** Who passes over an event. */
export interface Missed {
  readonly by: string;
  /** So do the AI SDK's readers for OpenAI and DeepSeek, which the servers of some give '' for a role or a kind all the same. */
  readonly strictly: boolean;
}

function saysNothing(choice: unknown): boolean {
  const delta = isRecord(choice) ? choice.delta : undefined;
  if (!isRecord(delta)) return false;
  const calls: readonly unknown[] = Array.isArray(delta.tool_calls) ? delta.tool_calls : [];
  return delta.role === '' || calls.some((call) => isRecord(call) && call.type === '');
}

/** False for an event that clients pass over which take a documented word or none. */
export function isSaidInFull(chunk: JsonRecord): boolean {
  return !(Array.isArray(chunk.choices) && chunk.choices.some(saysNothing));
}

function hasBytes(value: unknown): boolean {
  return isRecord(value) && (value.bytes === null || Array.isArray(value.bytes));
}

/** DeepSeek's reader in the AI SDK knows more of a chunk, and passes over another kind of it. */
function isAsDeepSeekSays({ object, system_fingerprint: print, usage, choices }: JsonRecord): boolean {
  const isEntry = (entry: unknown): boolean =>
    hasBytes(entry) && isRecord(entry) && isListOf(entry.top_logprobs, hasBytes);
  const isSpelled = (choice: unknown): boolean => {
    const logprobs = isRecord(choice) && isRecord(choice.logprobs) ? choice.logprobs : {};
    return isListOf(logprobs.content, isEntry) && isListOf(logprobs.reasoning_content, isEntry);
  };
  return (
    (isAbsent(object) || object === 'chat.completion.chunk') &&
    isText(print) &&
    haveNumbers(usage, ['prompt_cache_hit_tokens', 'prompt_cache_miss_tokens']) &&
    isListOf(choices, isSpelled)
  );
}

/** Which clients pass over an event of that name; `isAfterEnd`: `[DONE]` has come before. '' for none. */
export function eventMissedBy(event: string, chunk: JsonRecord, isAfterEnd: boolean): string {
  let by = isAfterEnd ? ' end' : '';
  if (event.startsWith('thread.')) by += ' thread';
  if (event === 'error' || !isAbsent(chunk.error)) by += ' error';
  if (!isAsDocumented(chunk)) by += ' types';
  if (!isAsDeepSeekSays(chunk)) by += ' deepseek';
  return by;
}
