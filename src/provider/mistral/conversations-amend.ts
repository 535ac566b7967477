/** Writes a reviewer's amendment into an answer of a Mistral conversation, in place. Pure. */
import { confirmCalls } from '../amending/amended-calls.ts';
import {
  objectArguments,
  planAmendment,
  rewriteJson,
  rewriteStream,
  unamendable,
} from '../amending/amendment.ts';
import type { Amendment, ResponseReading } from '../protocol.ts';
import { openEventStream } from '../reading/stream.ts';
import { isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { chunkKind } from './chat.ts';
import { contentWith } from './chat-amend.ts';
import { entryText, entryType, isCallEntry, readConversationResponse, textBeside } from './conversations.ts';
import { createConversationStreamReader, entryKey } from './conversations-stream.ts';

const okStatus = 200;

function carriedOut(): Error {
  return unamendable('the provider has carried that call out already');
}

function amendJson(original: Buffer, amendment: Amendment): Buffer {
  const before = readConversationResponse(okStatus, original);
  const at = planAmendment(before, amendment);
  let textWritten = false;
  const amended = rewriteJson(original, (body) => {
    if (!Array.isArray(body['outputs'])) throw unamendable('it repeats what was said before');
    let place = 0;
    const outputs = body['outputs'].map((entry: unknown) => {
      if (!isRecord(entry)) return entry;
      if (isCallEntry(entryType(entry))) {
        const value = at.get(place);
        place += 1;
        if (value === undefined) return entry;
        if (entryType(entry) !== 'function.call') throw carriedOut();
        const record = objectArguments(value);
        return { ...entry, arguments: isRecord(entry['arguments']) ? record : JSON.stringify(record) };
      }
      const { content } = entry;
      if (Array.isArray(content)) place += content.filter((one) => chunkKind(one) === 'unknown').length;
      if (amendment.text === undefined || entryText(content) + textBeside(content) === '') return entry;
      const written = textWritten ? '' : amendment.text;
      textWritten = true;
      return { ...entry, content: contentWith(content, written) };
    });
    return { ...body, outputs };
  });
  confirmCalls(before, readConversationResponse(okStatus, amended), at, amendment);
  return amended;
}

function readStream(bytes: Buffer): ResponseReading {
  const stream = openEventStream(createConversationStreamReader(okStatus), Math.max(bytes.length, 1));
  stream.push(bytes);
  return stream.finish().reading;
}

function deltaContent(content: unknown, text: string): unknown {
  return isRecord(content) ? { type: 'text', text } : contentWith(content, text);
}

function amendStream(original: Buffer, amendment: Amendment): Buffer {
  const before = readStream(original);
  const at = planAmendment(before, amendment);
  const byId = new Map(before.facts.toolCalls.map(({ id }, place) => [id, at.get(place)]));
  const written = new Set<string>();
  let textWritten = false;

  function callDelta(value: JsonRecord): readonly JsonRecord[] | null {
    const wanted = byId.get(textOf(value['tool_call_id']) || textOf(value['id']));
    if (wanted === undefined) return null;
    if (value['type'] !== 'function.call.delta') throw carriedOut();
    const key = entryKey(value);
    if (written.has(key)) return [];
    written.add(key);
    return [{ ...value, arguments: JSON.stringify(objectArguments(wanted)) }];
  }

  const amended = rewriteStream(original, (value) => {
    if (value['type'] !== 'message.output.delta') return callDelta(value);
    const { content } = value;
    if (amendment.text === undefined || entryText(content) + textBeside(content) === '') return null;
    // What is shown beside the text says where the replaced one came from.
    if (textWritten || entryText(content) === '') return [];
    textWritten = true;
    return [{ ...value, content: deltaContent(content, amendment.text) }];
  });
  confirmCalls(before, readStream(amended), at, amendment);
  return amended;
}

/** The answer with the amendment applied, in its own form. */
export function amendConversation(original: Buffer, streaming: boolean, amendment: Amendment): Buffer {
  return streaming ? amendStream(original, amendment) : amendJson(original, amendment);
}
