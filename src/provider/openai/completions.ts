/**
 * OpenAI completions, the API before chats, which many compatible servers still offer
 * (https://platform.openai.com/docs/api-reference/completions): whole answers, streams and amendments. It
 * calls no tools. Pure; hostile bytes in, facts and defects out.
 */

import {
  confirmAmended,
  planAmendment,
  rewriteJson,
  rewriteStream,
  unamendable,
} from '../amending/amendment.ts';
import { withoutSaidAgain } from '../amending/said-again.ts';
import type { Amendment, ResponseReading } from '../protocol.ts';
import { boundedList, joined, note, openAnswer, pieceOf } from '../reading/reading.ts';
import { openEventStream, type StreamEventKind, type StreamReader } from '../reading/stream.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { choicesMax, readChatUsage } from './chat.ts';
import { absorbChunkHead, nothingSaid, openStreamEnd } from './chunks.ts';

const okStatus = 200;
const chatMembers = ['message', 'delta', 'tool_calls', 'function_call'];

/** A choice's text; a choice of a chat in its place may call tools, and is none that this reads. */
function choiceText(choice: unknown, defects: string[]): string | null {
  if (!isRecord(choice)) {
    note(defects, 'an entry of `choices` is not an object');
    return null;
  }
  if (chatMembers.some((member) => !isAbsent(choice[member]))) {
    note(defects, 'the answer to a completion is that of a chat');
    return null;
  }
  // JavaScript makes a text of anything by itself.
  return isAbsent(choice.text) ? '' : pieceOf(choice.text, 'the text of a choice', defects);
}

/** Reads a whole answer of status below 400. */
export function readCompletionsResponse(status: number, bytes: Buffer): ResponseReading {
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  const failed = !isAbsent(body.error);
  if (isAbsent(body.choices) && !failed) note(defects, 'the answer has no `choices`');
  let text = '';
  let finishReason = '';
  for (const choice of boundedList(body.choices, choicesMax, '`choices`', defects)) {
    text = joined(text, choiceText(choice, defects) ?? '');
    if (finishReason === '' && isRecord(choice)) finishReason = textOf(choice.finish_reason);
  }
  const facts = {
    status,
    model: textOf(body.model),
    fingerprint: textOf(body.system_fingerprint),
    text,
    toolCalls: [],
    finishReason,
    usage: readChatUsage(body.usage),
    refusal: '',
  };
  return { facts, defects, complete: true, failed };
}

interface CompletionsStreamReader extends StreamReader {
  /** How many choices spoke. */
  choices(): number;
}

/** Opens a reader for one stream. */
export function createCompletionsStreamReader(status: number): CompletionsStreamReader {
  const defects: string[] = [];
  const texts = new Map<number, string>();
  const stopped = new Set<number>();
  const end = openStreamEnd();
  const head = nothingSaid();
  let finishReason = '';

  function absorbChoice(choice: unknown): StreamEventKind {
    const text = choiceText(choice, defects);
    if (text === null || !isRecord(choice) || (!isAbsent(choice.text) && typeof choice.text !== 'string'))
      return 'tool';
    const index = typeof choice.index === 'number' ? choice.index : 0;
    if (!texts.has(index) && texts.size >= choicesMax) {
      note(defects, `more than ${choicesMax} choices`);
      return 'tool';
    }
    texts.set(index, (texts.get(index) ?? '') + text);
    if (finishReason === '') finishReason = textOf(choice.finish_reason);
    if (textOf(choice.finish_reason) !== '') stopped.add(index);
    return text === '' ? 'other' : 'text';
  }

  function absorbChoices(list: unknown): StreamEventKind {
    if (!Array.isArray(list)) return 'tool';
    let kind: StreamEventKind = 'other';
    for (const choice of boundedList(list, choicesMax, '`choices`', defects)) {
      const one = absorbChoice(choice);
      if (one === 'tool' || kind === 'other') kind = one;
    }
    return kind;
  }

  return {
    defects,
    choices: () => texts.size,
    absorbText: end.absorbText,
    absorbEmpty: end.absorbEmpty,
    absorb(event, chunk) {
      const isError = absorbChunkHead(head, end, { event, chunk });
      if (isError && isAbsent(chunk.choices)) return 'error';
      const kind = absorbChoices(chunk.choices);
      return isError && kind !== 'tool' ? 'error' : kind;
    },
    reading() {
      let text = '';
      for (const [, said] of [...texts].sort(([a], [b]) => a - b)) text = joined(text, said);
      const facts = { status, ...head, text, toolCalls: [], finishReason, refusal: '' };
      // Some servers end without `[DONE]`: their answer is whole once every choice has said why it stopped.
      const hasStopped = texts.size > 0 && stopped.size === texts.size;
      return { facts, defects, complete: end.done || hasStopped, failed: end.failed };
    },
  };
}

function readStream(bytes: Buffer): { reading: ResponseReading; choices: number } {
  const reader = createCompletionsStreamReader(okStatus);
  const stream = openEventStream(reader, Math.max(bytes.length, 1));
  stream.push(bytes);
  return { reading: stream.finish().reading, choices: reader.choices() };
}

/** The body with the one choice's text replaced, and nowhere the old one, token by token. */
function bodyWith(body: JsonRecord, text: string): JsonRecord {
  const list: readonly unknown[] = Array.isArray(body.choices) ? body.choices : [];
  if (list.length > 1) throw unamendable('it has several choices');
  return {
    ...withoutSaidAgain(body),
    choices: list.map((choice) => {
      if (!isRecord(choice) || typeof choice.text !== 'string') return choice;
      const spelled = isAbsent(choice.logprobs) ? {} : { logprobs: null };
      return withoutSaidAgain({ ...choice, text, ...spelled });
    }),
  };
}

/** The answer with the amendment applied, in its own form. */
export function amendCompletions(original: Buffer, streaming: boolean, amendment: Amendment): Buffer {
  const { text } = amendment;
  const read = streaming ? readStream(original) : null;
  planAmendment(read?.reading ?? readCompletionsResponse(okStatus, original), amendment);
  if (text === undefined) return original;
  if (read === null) {
    const amended = rewriteJson(original, (body) => bodyWith(body, text));
    confirmAmended(readCompletionsResponse(okStatus, amended), amendment);
    return amended;
  }
  if (read.choices > 1) throw unamendable('it has several choices');
  // The first piece takes the whole text, the others are emptied.
  let left = text;
  const amended = rewriteStream(original, (chunk) => {
    const next = bodyWith(chunk, left);
    if (Array.isArray(chunk.choices) && chunk.choices.length > 0) left = '';
    return [next];
  });
  confirmAmended(readStream(amended).reading, amendment);
  return amended;
}
