/**
 * Calls of a streamed chat completion that some clients take for one. Some join pieces by a call's index, others by its
 * id; and who reads the first choice of each event alone, as the AI SDK and LangChain do, joins those of several choices,
 * in the order in which they came. What comes of that is judged too, or makes the answer one that cannot be read. Pure.
 */

import { note } from '../reading/reading.ts';
import { parsedRecord } from '../wire/json.ts';
import type { CallInProgress } from './chat-pieces.ts';

/** What one event said of one call's input; '' where it only named the call. */
export interface Piece {
  readonly call: CallInProgress;
  readonly text: string;
}

/** By what clients join pieces: some by their index, others by their id; a call of the old form is the only one. */
function joinedBy({ kind, index, isPlaced, id }: CallInProgress): readonly string[] {
  if (kind === 'legacy') return ['function_call'];
  return [
    `index ${index}`,
    ...(isPlaced || index === 0 ? [] : ['index 0']),
    ...(id === '' ? [] : [`id ${id}`]),
  ];
}

/** The text is one JSON object, so that no text behind it makes it another. */
function isWhole({ kind, input }: CallInProgress): boolean {
  return kind !== 'custom' && parsedRecord(input) !== null;
}

interface Closing {
  /** Where the first bracket is closed; -1 where it is not. */
  readonly end: number;
  /** What closes the brackets that are open at the end. */
  readonly missing: string;
  readonly isInText: boolean;
}

/** How far the brackets of a text that begins an object are closed. */
function closingOf(text: string): Closing {
  const open: string[] = [];
  let isInText = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (isInText) {
      if (char === '\\') at += 1;
      else if (char === '"') isInText = false;
    } else if (char === '"') isInText = true;
    else if (char === '{' || char === '[') open.push(char === '{' ? '}' : ']');
    else if (char === '}' || char === ']') {
      open.pop();
      if (open.length === 0) return { end: at + 1, missing: '', isInText };
    }
  }
  return { end: -1, missing: open.toReversed().join(''), isInText };
}

/** What may lack where an object breaks off: nothing, a value, a key's value, or digits. */
const endings = ['', 'null', ':null', '0'];

/** The whole object that one which breaks off is to a client that reads it all the same; '' for none. */
function completed(text: string, { missing, isInText }: Closing): string {
  const begun = isInText
    ? `${text.replace(/\\(u[0-9a-f]{0,3})?$/i, '')}"`
    : text.trimEnd().replace(/,$|\b[a-z]+$/, '');
  return (
    endings.map((ending) => begun + ending + missing).find((whole) => parsedRecord(whole) !== null) ?? ''
  );
}

/**
 * The object that a client finds in a text: where its first bracket is closed, as those do that act on a call as soon
 * as it is whole; or without its end, as LangChain reads it. '' for none.
 */
function objectIn(text: string): string {
  if (text.trim() === '') return '{}';
  const closing = closingOf(text);
  if (closing.end === -1) return completed(text, closing);
  const whole = text.slice(0, closing.end);
  return parsedRecord(whole) === null ? '' : whole;
}

/** There is nothing behind the object that it begins. */
function isOneObject(text: string): boolean {
  const { end } = closingOf(text);
  return end === -1 || end === text.trimEnd().length;
}

/** The pieces of one call as one client takes them. */
interface Taken {
  /** Those before a piece of another call came: the AI SDK drops what it cannot tell apart. */
  alone: string;
  /** Those that came before another call began, whose ever they are. */
  lately: string;
}

function takenBy(pieces: readonly Piece[]): ReadonlyMap<CallInProgress, Taken> {
  const taken = new Map<CallInProgress, Taken>();
  let last: Taken = { alone: '', lately: '' };
  let before: CallInProgress | undefined;
  const parted = new Set<CallInProgress>();
  for (const { call, text } of pieces) {
    let own = taken.get(call);
    if (own === undefined) {
      own = { alone: '', lately: '' };
      taken.set(call, own);
      last = own;
    }
    if (before !== undefined && before !== call) parted.add(before);
    if (!parted.has(call)) own.alone += text;
    last.lately += text;
    before = call;
  }
  return taken;
}

/** All pieces but those with which later calls begin: by index, LangChain gives the first call what says no id. */
function withoutBeginnings(pieces: readonly Piece[]): string {
  const begun = new Set<CallInProgress>();
  let text = '';
  for (const piece of pieces) {
    if (begun.has(piece.call) || begun.size === 0) text += piece.text;
    begun.add(piece.call);
  }
  return text;
}

/** What else clients hand the tools of calls that share a place; nothing of a call that all of them read alike. */
function otherInputs(pieces: readonly Piece[]): ReadonlyMap<CallInProgress, readonly string[]> {
  const together = pieces.map(({ text }) => text).join('');
  const joined = [together, withoutBeginnings(pieces)];
  // Who acts on a call as soon as it is whole has heard the first name alone.
  const toOthers = isOneObject(together) ? [together] : [];
  // Many calls have the same text among theirs, and it may be long.
  const objects = new Map<string, string>();
  const objectOf = (text: string): string => {
    const object = objects.get(text) ?? objectIn(text);
    objects.set(text, object);
    return object;
  };
  const inputs = new Map<CallInProgress, readonly string[]>();
  for (const [call, { alone, lately }] of takenBy(pieces)) {
    const texts = [alone, lately, ...(inputs.size === 0 || call.kind === 'custom' ? joined : toOthers)];
    const read = call.kind === 'custom' ? texts : texts.map(objectOf);
    inputs.set(
      call,
      [...new Set(read)].filter((input) => input !== '' && input.trim() !== call.input.trim()),
    );
  }
  return inputs;
}

/** One call of each choice, and a client sees all or none of them: each by itself is one that rules can judge. */
function areOfEachChoice(calls: readonly CallInProgress[]): boolean {
  return (
    new Set(calls.map(({ choice }) => choice)).size === calls.length &&
    new Set(calls.map(({ missedBy }) => missedBy)).size === 1
  );
}

/** The pieces of calls that some clients take for one, for each place or id that they share. */
function sharedPlaces(pieces: readonly Piece[]): readonly (readonly Piece[])[] {
  const callsAt = new Map<string, number>();
  for (const call of new Set(pieces.map((piece) => piece.call)))
    for (const name of joinedBy(call)) callsAt.set(name, (callsAt.get(name) ?? 0) + 1);
  const places = new Map<string, Piece[]>();
  for (const [name, count] of callsAt) if (count > 1) places.set(name, []);
  // Most answers have none, and many pieces.
  if (places.size === 0) return [];
  for (const piece of pieces) for (const name of joinedBy(piece.call)) places.get(name)?.push(piece);
  return [...places.values()];
}

/** Of all other inputs of an answer's calls: each is parsed and judged, and a long one may be that of every choice. */
const otherCharsMax = 4_194_304;

/** Notes calls that clients may take for one; where those are of several choices, says what else each call is handed. */
export function judgeSharedPlaces(pieces: readonly Piece[], defects: string[]): void {
  const shared = sharedPlaces(pieces);
  for (const { call } of shared.flat()) call.otherwise = [];
  let charsLeft = otherCharsMax;
  for (const there of shared) {
    const calls = [...new Set(there.map(({ call }) => call))];
    const isApart = areOfEachChoice(calls);
    const isReadable = calls.every(isWhole) || (isApart && calls.every(({ kind }) => kind === 'custom'));
    const others = isReadable ? [...otherInputs(there)] : [];
    const chars = others.flatMap(([, inputs]) => inputs).reduce((sum, { length }) => sum + length, 0);
    charsLeft -= chars;
    if (!isReadable || charsLeft < 0 || (!isApart && chars > 0)) {
      note(defects, 'pieces of one tool call may belong to another');
      return;
    }
    for (const [call, inputs] of others) call.otherwise = [...new Set([...call.otherwise, ...inputs])];
  }
}

/** Says what clients hand the tools that have heard of some pieces of a call alone. */
export function sayPartialInputs(pieces: readonly Piece[]): void {
  for (const call of new Set(pieces.map((piece) => piece.call))) {
    const { strictInput, inputAtWord, input, kind } = call;
    for (const heard of new Set([strictInput, inputAtWord])) {
      if (heard === null || heard === input) continue;
      const read = kind === 'custom' ? heard : objectIn(heard);
      if (read !== '' && read.trim() !== input.trim())
        call.otherwise = [...new Set([...call.otherwise, read])];
    }
  }
}
