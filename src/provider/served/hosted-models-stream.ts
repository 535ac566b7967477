/**
 * Streams of models behind one path of their host's: pieces of a chat or a completion as OpenAI's, or events of the host's own
 * with a piece of text in one member and calls in another. Pure.
 */

import { readEitherUsage } from '../openai/records.ts';
import { findWithin, withoutHanded } from '../openai/records-find.ts';
import { createToldCalls, isPieceOfCall, saysText } from '../openai/records-stream.ts';
import { joined, note, openSaidBefore, unreadResponse, usageAbsent } from '../reading/reading.ts';
import type { StreamReader } from '../reading/stream.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { hasListedContent } from './hosted-models.ts';
import { createAnyStreamReader } from './served-models.ts';

/** Where hosts have a piece of text. Beside it stand numbers, ids, and padding that hides its length. */
const textMembers: ReadonlySet<string> = new Set([
  'response',
  'text',
  'content',
  'generated_text',
  'output',
  'output_text',
  'delta',
  'completion',
  'reasoning_content',
]);

/** The piece of text in a value. Where several members of one object say the same they say it once. */
function pieceIn(value: unknown, isText = false): string {
  if (Array.isArray(value)) return value.map((element) => pieceIn(element, isText)).join('');
  if (!isRecord(value)) return isText ? textOf(value) : '';
  const said = new Set<string>();
  let text = '';
  for (const [name, member] of Object.entries(value)) {
    // Snowflake has the same again in a list.
    if (name === 'content_list') continue;
    if (typeof member !== 'string') text += pieceIn(member, textMembers.has(name));
    else if (textMembers.has(name)) said.add(member);
  }
  return [...said].join('') + text;
}

/** True for a piece of a call in content of Snowflake's, whose arguments come in texts that nothing tells apart. */
function isCallPiece({ choices }: JsonRecord): boolean {
  const list: readonly unknown[] = Array.isArray(choices) ? choices : [];
  return list.some(
    (choice) => isRecord(choice) && isRecord(choice.delta) && choice.delta.type === 'tool_use',
  );
}

interface Begun {
  readonly id: string;
  /** Nothing is handed there yet, so that another call's arguments become its own. */
  readonly isEmpty: boolean;
}

/** Notes calls that Workers AI's provider for the AI SDK takes for pieces of one: it joins those of one place, or of none. */
function notePlaces(list: unknown, begunAt: Map<unknown, Begun>, defects: string[]): void {
  for (const call of Array.isArray(list) ? list.filter(isRecord) : []) {
    const own = isRecord(call.function) ? call.function : call;
    const isEmpty = isAbsent(own.arguments) || own.arguments === '';
    const place = call.index ?? 0;
    const id = textOf(call.id);
    const before = begunAt.get(place);
    const isSame = id !== '' && before?.id === id;
    if (before !== undefined && !isSame && (isEmpty || before.isEmpty))
      note(defects, 'pieces of one tool call may belong to another');
    begunAt.set(place, { id: before?.id ?? id, isEmpty });
  }
}

function createOwnReader(status: number, defects: string[]): StreamReader {
  const told = createToldCalls(defects, findWithin);
  const begunAt = new Map<unknown, Begun>();
  const isSaid = openSaidBefore();
  let text = '';
  let usage = usageAbsent;
  let failed = false;
  return {
    defects,
    absorbText: (data) => (data.trim() === '[DONE]' ? 'end' : null),
    absorbEmpty: () => 'other',
    absorb(event, value) {
      if (isRecord(value.usage)) usage = readEitherUsage(value.usage);
      if (isCallPiece(value)) {
        note(defects, 'a tool call in pieces of content cannot be put together');
        return 'tool';
      }
      // Of an agent's events, the name alone says that it is a call.
      const said = /(^|\.)tool_use$/.test(event) ? { tool_use: value } : value;
      notePlaces(value.tool_calls, begunAt, defects);
      if (told.absorb(said)) {
        const beside = pieceIn(withoutHanded(said, findWithin));
        if (!isSaid(text, beside)) text = joined(text, beside);
        return 'tool';
      }
      if (event === 'error' || textOf(value.type) === 'error' || !isAbsent(value.error)) {
        failed = true;
        // Who looks for words looks no further.
        text += pieceIn({ ...value, error: null });
        return 'error';
      }
      const type = textOf(value.type) || event;
      if (textOf(value.delta) !== '' && isPieceOfCall(type)) return 'tool';
      const piece = pieceIn(value);
      text += piece;
      // Of an event that nobody knows, what is said may be part of a call.
      if (textOf(value.delta) !== '' && type !== '' && !saysText(type)) return 'tool';
      return piece === '' ? 'other' : 'text';
    },
    reading() {
      const facts = { ...unreadResponse(status, '').facts, text, toolCalls: told.calls, usage };
      return { facts, defects, complete: true, failed };
    },
  };
}

/** True for an event that is a piece of OpenAI's chat or completion. */
function isOpenais(value: JsonRecord): boolean {
  const { choices } = value;
  return Array.isArray(choices) && choices.length > 0 && !hasListedContent(value) && !isCallPiece(value);
}

/** Opens a reader for one stream; its first event that says anything tells the form, and all others that do must have it. */
export function createHostedStreamReader(status: number): StreamReader {
  const openais = createAnyStreamReader(status);
  const defects: string[] = [];
  const own = createOwnReader(status, []);
  let chosen: StreamReader | null = null;
  return {
    defects,
    absorbText: (data) => (chosen ?? openais).absorbText(data),
    absorbEmpty: (event) => (chosen ?? openais).absorbEmpty(event),
    absorb(event, value) {
      const fits = isOpenais(value) ? openais : own;
      if (fits === own && chosen === openais) {
        // What counts tokens, or ends the stream, stands beside the pieces; an error has no form.
        if (!isAbsent(value.error) || Array.isArray(value.choices)) return openais.absorb(event, value);
        const kind = own.absorb(event, value);
        if (kind === 'other') return kind;
        note(defects, 'the stream has the forms of two operations');
        return 'tool';
      }
      if (chosen === own && fits === openais) {
        note(defects, 'the stream has the forms of two operations');
        return 'tool';
      }
      const kind = fits.absorb(event, value);
      if (kind !== 'other') chosen ??= fits;
      return kind;
    },
    reading() {
      const reading = (chosen ?? own).reading();
      return { ...reading, defects: [...defects, ...reading.defects] };
    },
  };
}
