/**
 * The calls of one Gemini candidate, in order: whole, or with their arguments streamed over several parts.
 * Only one call at a time is streamed; the parts after its first carry no name. Pure.
 */

import { namePieceOf, note, toolCallsMax } from '../reading/reading.ts';
import { respelledAs } from '../wire/folded-name.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { createPartialArguments, type PartialArguments } from './partial-args.ts';
import { camelCased } from './parts.ts';

/** How a call's arguments were written: a JSON text, with the value where that is known already. */
export interface WrittenArguments {
  readonly text: string;
  readonly value?: unknown;
}

export interface CallInProgress {
  readonly id: string;
  readonly name: string;
  written(): WrittenArguments;
  /** Google's name for the part: only a `functionCall` is for the client to carry out. */
  readonly part: string;
}

interface OpenCall extends CallInProgress {
  readonly pieces: PartialArguments;
}

export interface CallReader {
  /**
   * Takes a part's call, `value`, named `part` by Google. `source` finds how its `args` were written. Returns
   * the call it belongs to; null for none.
   */
  absorb(part: string, value: unknown, source: () => string | undefined): CallInProgress | null;
  /** All calls so far; one still open is a defect. */
  finish(): readonly CallInProgress[];
}

function hasMembers(value: unknown): boolean {
  return isRecord(value) ? Object.keys(value).length > 0 : !isAbsent(value);
}

const membersRead: ReadonlySet<string> = new Set(['partialArgs', 'willContinue', 'toolType']);

/** Google's clients for Python and those that read protocol buffers take `partial_args` for `partialArgs`, others for nothing. */
function noteOtherSpelling(call: unknown, defects: string[]): void {
  if (!isRecord(call)) return;
  for (const name of Object.keys(call)) {
    const meant = camelCased(name);
    if (meant !== name && membersRead.has(meant)) note(defects, respelledAs(name, meant));
  }
}

function goesOn(call: JsonRecord): boolean {
  const pieces = call['partialArgs'];
  if (call['willContinue'] === true) return true;
  return Array.isArray(pieces) && pieces.some((piece) => isRecord(piece) && piece['willContinue'] === true);
}

export interface ServerCall {
  readonly id: string;
  readonly name: string;
  readonly args: JsonRecord;
  /** True where the arguments stand in a member of their own, false where the call is what it is handed. */
  readonly named: boolean;
}

/** A call that Google carries out itself, or one of a kind that is not known: that is named after the kind. */
export function serverCall(part: string, value: unknown): ServerCall {
  const record = isRecord(value) ? value : {};
  const { id, args, toolType } = record;
  if (part === 'toolCall' && isRecord(args))
    return { id: textOf(id), name: textOf(toolType) || part, args, named: true };
  const { id: _id, ...rest } = record;
  return { id: textOf(id), name: part, args: isRecord(value) ? rest : { value }, named: false };
}

/** Opens a reader for one candidate. */
export function createCallReader(defects: string[]): CallReader {
  const calls: CallInProgress[] = [];
  let open: OpenCall | null = null;
  /** The call that was streamed last: a part with nothing in it may follow its end. */
  let closed: CallInProgress | null = null;

  function add<Call extends CallInProgress>(call: Call): Call {
    // One more than is allowed stays, so that whoever counts them notes the defect.
    if (calls.length <= toolCallsMax) calls.push(call);
    return call;
  }

  function close(): void {
    closed = open;
    open = null;
  }

  function absorbPieces(call: OpenCall, value: JsonRecord): void {
    const pieces = value['partialArgs'];
    if (!isAbsent(pieces) && !Array.isArray(pieces)) note(defects, '`partialArgs` is not a list');
    for (const piece of Array.isArray(pieces) ? pieces : []) note(defects, call.pieces.apply(piece));
    if (!goesOn(value)) close();
  }

  function begin(value: JsonRecord, name: string, source: () => string | undefined): CallInProgress {
    if (open !== null) note(defects, 'a tool call begins before the one before it has ended');
    open = null;
    const id = textOf(value['id']);
    const args = value['args'];
    if (goesOn(value) || !isAbsent(value['partialArgs'])) {
      if (hasMembers(args)) note(defects, 'a tool call has its arguments both whole and in pieces');
      const pieces = createPartialArguments();
      const call = add<OpenCall>({
        ...{ id, name, part: 'functionCall', pieces },
        // Put together when it is asked for: with each piece it would take the square of their number.
        written: () => ({ text: pieces.text() }),
      });
      open = call;
      absorbPieces(call, value);
      return call;
    }
    if (!isAbsent(args) && !isRecord(args)) note(defects, 'the arguments of a tool call are not an object');
    const given = isRecord(args) ? args : {};
    const text = isRecord(args) ? (source() ?? JSON.stringify(args)) : '{}';
    return add({ id, name, part: 'functionCall', written: () => ({ text, value: given }) });
  }

  function absorbFunctionCall(value: JsonRecord, source: () => string | undefined): CallInProgress | null {
    const name = namePieceOf(value['name'], defects);
    if (name !== '') return begin(value, name, source);
    if (open !== null) {
      const call = open;
      if (hasMembers(value['args'])) note(defects, 'a tool call has its arguments both whole and in pieces');
      absorbPieces(call, value);
      return call;
    }
    if (Object.keys(value).length === 0 && closed !== null) return closed;
    note(defects, 'a tool call has no name');
    return begin(value, '', source);
  }

  function absorbServerCall(part: string, value: unknown, source: () => string | undefined): CallInProgress {
    const { id, name, args, named } = serverCall(part, value);
    const text = (named ? source() : undefined) ?? JSON.stringify(args);
    return add({ id, name, part, written: () => ({ text, value: args }) });
  }

  return {
    absorb(part, value, source) {
      noteOtherSpelling(value, defects);
      if (part !== 'functionCall') return absorbServerCall(part, value, source);
      if (isRecord(value)) return absorbFunctionCall(value, source);
      note(defects, 'a function call is not an object');
      return absorbServerCall(part, value, source);
    },
    finish() {
      if (open !== null) note(defects, 'the argument text of a tool call does not end');
      return calls;
    },
  };
}
