/**
 * Writes a reviewer's amendment into a completion of Mistral's, in place: thinking and whatever else is not
 * amended stays where it was. Pure.
 */
import { confirmCalls } from '../amending/amended-calls.ts';
import {
  type ArgumentsAt,
  objectArguments,
  planAmendment,
  rewriteJson,
  rewriteStream,
  unamendable,
} from '../amending/amendment.ts';
import { type ChatCall, contentText } from '../openai/chat.ts';
import type { Amendment } from '../protocol.ts';
import { openEventStream } from '../reading/stream.ts';
import { isAbsent, isRecord, type JsonRecord } from '../wire/json.ts';
import { chunkKind, createMistralStreamReader, readMistralResponse } from './chat.ts';

const okStatus = 200;

/** Content with another text in place of what it shows; thinking stays. */
export function contentWith(content: unknown, text: string): unknown {
  if (!Array.isArray(content)) return text;
  const thinking = content.filter((chunk) => chunkKind(chunk) !== 'shown');
  return text === '' ? thinking : [...thinking, { type: 'text', text }];
}

/** New arguments in the form the old ones had. */
function argumentsLike(old: unknown, value: unknown): unknown {
  const record = objectArguments(value);
  return isRecord(old) ? record : JSON.stringify(record);
}

function amendJson(original: Buffer, amendment: Amendment): Buffer {
  const before = readMistralResponse(okStatus, original);
  const at = planAmendment(before, amendment);
  const amended = rewriteJson(original, (body) => {
    const list: readonly unknown[] = Array.isArray(body['choices']) ? body['choices'] : [];
    if (amendment.text !== undefined && list.length > 1) throw unamendable('it has several choices');
    let place = 0;
    const choices = list.map((choice) => {
      if (!isRecord(choice)) return choice;
      if (Array.isArray(choice['messages'])) throw unamendable('a choice has several messages');
      const message = choice['message'];
      if (!isRecord(message)) return choice;
      const next: Record<string, unknown> = { ...message };
      if (Array.isArray(message['tool_calls'])) {
        next['tool_calls'] = message['tool_calls'].map((call: unknown) => {
          const value = at.get(place);
          place += 1;
          const fn = isRecord(call) ? call['function'] : undefined;
          if (value === undefined || !isRecord(call) || !isRecord(fn)) return call;
          return { ...call, function: { ...fn, arguments: argumentsLike(fn['arguments'], value) } };
        });
      }
      const { content } = message;
      if (Array.isArray(content)) {
        place += content.filter((chunk) => chunkKind(chunk) === 'unknown').length;
      }
      if (amendment.text !== undefined && contentText(content, []) !== '') {
        next['content'] = contentWith(content, amendment.text);
      }
      return { ...choice, message: next };
    });
    return { ...body, choices };
  });
  confirmCalls(before, readMistralResponse(okStatus, amended), at, amendment);
  return amended;
}

function readStream(bytes: Buffer) {
  const reader = createMistralStreamReader(okStatus);
  const stream = openEventStream(reader, Math.max(bytes.length, 1));
  stream.push(bytes);
  return { reading: stream.finish().reading, choices: reader.answer(), madeCalls: reader.madeCalls() };
}

function wholeCall(call: ChatCall, index: number, value: unknown): JsonRecord {
  const text = value === undefined ? call.input : JSON.stringify(objectArguments(value));
  const id = call.id === '' ? {} : { id: call.id };
  return { ...id, type: 'function', function: { name: call.name, arguments: text }, index };
}

/** By choice, the calls it makes in the end, whole; only of choices in which one is amended. */
function amendedCalls(choices: ReturnType<typeof readStream>['choices'], at: ArgumentsAt) {
  const byChoice = new Map<number, readonly JsonRecord[]>();
  let place = 0;
  for (const [index, { calls }] of choices) {
    const first = place;
    place += calls.length;
    if (!calls.some((_call, i) => at.has(first + i))) continue;
    if (calls.some(({ kind }) => kind !== 'function')) throw unamendable('a call of it is no function');
    byChoice.set(
      index,
      calls.map((call, i) => wholeCall(call, i, at.get(first + i))),
    );
  }
  return byChoice;
}

function amendStream(original: Buffer, amendment: Amendment): Buffer {
  const { reading: before, choices, madeCalls } = readStream(original);
  const at = planAmendment(before, amendment);
  if (madeCalls) throw unamendable('it carries content of an unknown kind');
  if (amendment.text !== undefined && choices.size > 1) throw unamendable('it has several choices');
  const calls = amendedCalls(choices, at);
  const callsWritten = new Set<number>();
  let textWritten = false;

  function deltaWith(delta: JsonRecord, index: number): JsonRecord {
    let next = delta;
    const whole = calls.get(index);
    if (whole !== undefined && !isAbsent(delta['tool_calls'])) {
      const { tool_calls: _pieces, ...rest } = delta;
      next = callsWritten.has(index) ? rest : { ...rest, tool_calls: whole };
      callsWritten.add(index);
    }
    if (amendment.text === undefined || contentText(shownOf(next['content']), []) === '') return next;
    const written = textWritten ? '' : amendment.text;
    textWritten = true;
    return { ...next, content: contentWith(next['content'], written) };
  }

  const amended = rewriteStream(original, (chunk) => {
    if (!Array.isArray(chunk['choices'])) return null;
    let changed = false;
    const next = chunk['choices'].map((choice: unknown) => {
      const delta = isRecord(choice) ? choice['delta'] : undefined;
      if (!isRecord(choice) || !isRecord(delta)) return choice;
      const rewritten = deltaWith(delta, typeof choice['index'] === 'number' ? choice['index'] : 0);
      if (rewritten === delta) return choice;
      changed = true;
      return { ...choice, delta: rewritten };
    });
    return changed ? [{ ...chunk, choices: next }] : null;
  });
  confirmCalls(before, readStream(amended).reading, at, amendment);
  return amended;
}

function shownOf(content: unknown): unknown {
  return Array.isArray(content) ? content.filter((chunk) => chunkKind(chunk) === 'shown') : content;
}

/** The answer with the amendment applied, in its own form. */
export function amendMistralChat(original: Buffer, streaming: boolean, amendment: Amendment): Buffer {
  return streaming ? amendStream(original, amendment) : amendJson(original, amendment);
}
