/** Writes a reviewer's amendment into an answer of Cohere's chat, in place. Pure. */
import { confirmCalls } from '../amending/amended-calls.ts';
import { objectArguments, planAmendment, rewriteJson, rewriteStream } from '../amending/amendment.ts';
import { withoutSaidAgain } from '../amending/said-again.ts';
import type { Amendment, ResponseReading } from '../protocol.ts';
import { openEventStream } from '../reading/stream.ts';
import { isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { blockKind, readCohereResponse } from './chat.ts';
import { createCohereStreamReader, deltaMessage } from './chat-stream.ts';

const okStatus = 200;

function isText(block: unknown): block is JsonRecord {
  return isRecord(block) && blockKind(block, []) === 'text';
}

/** The message with another text: in its content where it has text there, in its plan otherwise. */
function messageWithText(message: JsonRecord, text: string): JsonRecord {
  const { content } = message;
  const citations = 'citations' in message ? { citations: [] } : {};
  if (typeof content === 'string' && content !== '')
    return { ...message, ...citations, tool_plan: '', content: text };
  const blocks: readonly unknown[] = Array.isArray(content) ? content : [];
  const first = blocks.findIndex((block) => isText(block) && textOf(block['text']) !== '');
  if (first === -1) return { ...message, ...citations, tool_plan: text };
  const written = blocks.flatMap((block, i) => {
    if (!isText(block)) return [block];
    return i === first && text !== '' ? [{ ...block, text }] : [];
  });
  const plan = 'tool_plan' in message ? { tool_plan: '' } : {};
  return { ...message, ...citations, ...plan, content: written };
}

function amendJson(original: Buffer, amendment: Amendment): Buffer {
  const before = readCohereResponse(okStatus, original);
  const at = planAmendment(before, amendment);
  const amended = rewriteJson(original, (whole) => {
    const body = withoutSaidAgain(whole);
    let message = isRecord(body['message']) ? body['message'] : {};
    if (amendment.text !== undefined) message = messageWithText(message, amendment.text);
    if (at.size === 0 || !Array.isArray(message['tool_calls'])) return { ...body, message };
    const calls = message['tool_calls'].map((call: unknown, place) => {
      const value = at.get(place);
      const fn = isRecord(call) ? call['function'] : undefined;
      if (value === undefined || !isRecord(call) || !isRecord(fn)) return call;
      return { ...call, function: { ...fn, arguments: JSON.stringify(objectArguments(value)) } };
    });
    return { ...body, message: { ...message, tool_calls: calls } };
  });
  confirmCalls(before, readCohereResponse(okStatus, amended), at, amendment);
  return amended;
}

function readStream(bytes: Buffer): ResponseReading {
  const stream = openEventStream(createCohereStreamReader(okStatus), Math.max(bytes.length, 1));
  stream.push(bytes);
  return stream.finish().reading;
}

function withMessage(value: JsonRecord, members: JsonRecord): JsonRecord {
  const delta = isRecord(value['delta']) ? value['delta'] : {};
  return { ...value, delta: { ...delta, message: { ...deltaMessage(value), ...members } } };
}

function amendStream(original: Buffer, amendment: Amendment): Buffer {
  const before = readStream(original);
  const at = planAmendment(before, amendment);
  const contentHasText = hasContentText(original);
  const { text } = amendment;
  let textWritten = false;
  let place = -1;

  function contentWith(value: JsonRecord): readonly JsonRecord[] | null {
    const { content } = deltaMessage(value);
    if (text === undefined || !isText(content) || textOf(content['text']) === '') return null;
    const written = textWritten ? '' : text;
    if (textWritten && value['type'] === 'content-delta') return [];
    textWritten = true;
    return [withMessage(value, { content: { ...content, text: written } })];
  }

  function planWith(value: JsonRecord): readonly JsonRecord[] | null {
    if (text === undefined) return null;
    if (contentHasText || textWritten) return [];
    textWritten = true;
    return [withMessage(value, { tool_plan: text })];
  }

  function callStart(value: JsonRecord): readonly JsonRecord[] | null {
    place += 1;
    const wanted = at.get(place);
    const call = deltaMessage(value)['tool_calls'];
    const fn = isRecord(call) ? call['function'] : undefined;
    if (wanted === undefined || !isRecord(call) || !isRecord(fn)) return null;
    const opened = withMessage(value, { tool_calls: { ...call, function: { ...fn, arguments: '' } } });
    const piece = { function: { arguments: JSON.stringify(objectArguments(wanted)) } };
    return [opened, { ...value, type: 'tool-call-delta', delta: { message: { tool_calls: piece } } }];
  }

  function eventWith(value: JsonRecord): readonly JsonRecord[] | null {
    switch (value['type']) {
      case 'content-start':
      case 'content-delta':
        return contentWith(value);
      case 'tool-plan-delta':
        return planWith(value);
      case 'citation-start':
      case 'citation-end':
        // They point into the text that was replaced.
        return text === undefined ? null : [];
      case 'tool-call-start':
        return callStart(value);
      case 'tool-call-delta':
        return at.has(place) ? [] : null;
      default:
        return null;
    }
  }

  const amended = rewriteStream(original, (value) => {
    const rewritten = eventWith(value);
    const isUntouched = text === undefined && place === -1;
    const rest = isUntouched ? value : withoutSaidAgain(value);
    if (rewritten === null) return rest === value ? null : [rest];
    return rewritten.map(withoutSaidAgain);
  });
  confirmCalls(before, readStream(amended), at, amendment);
  return amended;
}

function hasContentText(original: Buffer): boolean {
  let found = false;
  rewriteStream(original, (value) => {
    const { content } = deltaMessage(value);
    found ||= isText(content) && textOf(content['text']) !== '';
    return null;
  });
  return found;
}

/** The answer with the amendment applied, in its own form. */
export function amendCohereChat(original: Buffer, streaming: boolean, amendment: Amendment): Buffer {
  return streaming ? amendStream(original, amendment) : amendJson(original, amendment);
}
