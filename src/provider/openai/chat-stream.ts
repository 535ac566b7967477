/**
 * OpenAI chat completions, streamed (https://platform.openai.com/docs/api-reference/chat-streaming):
 * reassembles the answer of every choice and says which events carry part of a tool call. Pure.
 */

import { tellsTokens } from '../amending/said-again.ts';
import { boundedList, note } from '../reading/reading.ts';
import type { StreamEventKind, StreamReader } from '../reading/stream.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import {
  type ChatCall,
  type ChatChoice,
  callsBesideChoices,
  chatAnswerFacts,
  choicesMax,
  noteTextBeside,
  shownText,
} from './chat.ts';
import { absorbCalls, type ChoiceInProgress } from './chat-calls.ts';
import { addTold, executedIn } from './chat-executed.ts';
import { eventMissedBy, isSaidInFull, type Missed } from './chat-pieces.ts';
import { judgeSharedPlaces, type Piece, sayPartialInputs } from './chat-shared.ts';
import { absorbChunkHead, nothingSaid, openStreamEnd } from './chunks.ts';
import { findWithin } from './records-find.ts';

/** Members of a delta that are known to carry no tool call; any other may be a new way to make one. */
const deltaMembersRead: ReadonlySet<string> = new Set([
  'role',
  'content',
  'refusal',
  'audio',
  'tool_calls',
  'function_call',
  'reasoning',
  'reasoning_content',
  'reasoning_details',
  'annotations',
  // Azure's answers from a customer's own documents.
  'context',
  'end_turn',
  // Where Groq's gpt-oss thinks aloud, by name.
  'channel',
]);

function absorbDelta(
  choice: ChoiceInProgress,
  delta: JsonRecord,
  whoMisses: () => Missed,
  defects: string[],
): StreamEventKind {
  const executed = executedIn(delta, defects);
  addTold(executed, choice.told, defects);
  const hasCalls = absorbCalls(choice, delta, whoMisses, defects) || executed.length > 0;
  const text = shownText(delta, defects);
  const refusal = textOf(delta.refusal);
  choice.text += text;
  choice.refusal += refusal;
  let shows = text !== '' || refusal !== '';
  let unknown = false;
  for (const key of Object.keys(delta)) {
    const value = delta[key];
    // Together numbers the token of each delta; a number alone asks for nothing.
    if (isAbsent(value) || value === '' || typeof value === 'number' || key === 'role') continue;
    if (!deltaMembersRead.has(key)) unknown = true;
    else if (key !== 'content' && key !== 'refusal' && key !== 'tool_calls') shows = true;
  }
  if (hasCalls || unknown) return 'tool';
  return shows ? 'text' : 'other';
}

export interface ChatStreamReader extends StreamReader {
  /** What every choice said so far, by the choice's index. */
  answer(): ReadonlyMap<number, ChatChoice>;
}

/** Opens a reader for one stream. `alsoMissedBy` tells of a chunk who else passes over it. */
export function createChatStreamReader(
  status: number,
  alsoMissedBy: (chunk: JsonRecord) => string = () => '',
): ChatStreamReader {
  const defects: string[] = [];
  const choices = new Map<number, ChoiceInProgress>();
  const pieces: Piece[] = [];
  const end = openStreamEnd();
  const head = nothingSaid();
  let hasWord = false;

  function choiceAt(index: number): ChoiceInProgress | null {
    const known = choices.get(index);
    if (known !== undefined) return known;
    if (choices.size >= choicesMax) {
      note(defects, `more than ${choicesMax} choices`);
      return null;
    }
    const choice: ChoiceInProgress = {
      text: '',
      refusal: '',
      finishReason: '',
      calls: [],
      legacy: null,
      executed: [],
      told: new Map(),
      place: index,
      pieces,
    };
    choices.set(index, choice);
    return choice;
  }

  function absorbChoice(entry: unknown, whoMisses: () => Missed): StreamEventKind {
    if (!isRecord(entry)) {
      note(defects, 'an entry of `choices` is not an object');
      return 'tool';
    }
    const choice = choiceAt(typeof entry.index === 'number' ? entry.index : 0);
    if (choice === null) return 'tool';
    if (textOf(entry.finish_reason) !== '') choice.finishReason = textOf(entry.finish_reason);
    if (!isAbsent(entry.message)) {
      note(defects, 'an event of the stream carries a whole message');
      return 'tool';
    }
    const delta = entry.delta;
    const shown = isRecord(delta) ? shownText(delta, defects) : '';
    if (noteTextBeside(entry, shown, defects)) return 'tool';
    if (isAbsent(delta) || isRecord(delta)) {
      const kind = isAbsent(delta) ? 'other' : absorbDelta(choice, delta, whoMisses, defects);
      return kind === 'other' && tellsTokens(entry) ? 'tool' : kind;
    }
    note(defects, 'a delta of the stream is not an object');
    return 'tool';
  }

  function absorbChoices(list: unknown, whoMisses: () => Missed): StreamEventKind {
    // Not a chunk of a completion as documented: nobody knows what a client makes of it.
    if (isAbsent(list)) return 'tool';
    let kind: StreamEventKind = Array.isArray(list) ? 'other' : 'tool';
    boundedList(list, choicesMax, '`choices`', defects).forEach((entry, place) => {
      const one = absorbChoice(entry, () => {
        const missed = whoMisses();
        return place === 0 ? missed : { ...missed, by: `${missed.by} place` };
      });
      if (one === 'tool' || kind === 'other') kind = one;
    });
    return kind;
  }

  /** Some servers end without `[DONE]`: their answer is whole once every choice has said why it stopped. */
  function hasStopped(): boolean {
    return choices.size > 0 && [...choices.values()].every(({ finishReason }) => finishReason !== '');
  }

  function answer(): ReadonlyMap<number, ChatChoice> {
    const ordered = new Map<number, ChatChoice>();
    judgeSharedPlaces(pieces, defects);
    sayPartialInputs(pieces);
    for (const [index, choice] of [...choices].sort(([a], [b]) => a - b)) {
      const { legacy, told, place: _place, pieces: _pieces, ...said } = choice;
      const calls: ChatCall[] = choice.calls.toSorted((a, b) => a.index - b.index);
      const all = legacy === null ? calls : [...calls, legacy];
      ordered.set(index, { ...said, calls: all, executed: [...told.values()] });
    }
    return ordered;
  }

  return {
    defects,
    absorbText(data) {
      if (!hasWord && data.includes('[DONE]')) {
        hasWord = true;
        for (const { call } of pieces) call.inputAtWord = call.input;
      }
      return end.absorbText(data);
    },
    absorbEmpty: end.absorbEmpty,
    absorb(event, chunk) {
      const isError = absorbChunkHead(head, end, { event, chunk });
      const strays = callsBesideChoices(chunk);
      if (strays) note(defects, 'the answer has a tool call beside its choices');
      if (isError && isAbsent(chunk.choices)) return strays ? 'tool' : 'error';
      if (isAbsent(chunk.choices) && findWithin(chunk).text !== '')
        note(defects, 'an event of the stream says something and has no choices');
      // Looked through once, however many choices have a call, and not at all where none has.
      let missed: Missed | null = null;
      const kind = absorbChoices(chunk.choices, () => {
        missed ??= {
          by: eventMissedBy(event, chunk, end.done) + alsoMissedBy(chunk),
          strictly: !isSaidInFull(chunk),
        };
        return missed;
      });
      if (strays) return 'tool';
      return isError && kind !== 'tool' ? 'error' : kind;
    },
    answer,
    reading() {
      const said = chatAnswerFacts([...answer().values()], defects);
      const facts = {
        status,
        ...head,
        text: said.text,
        toolCalls: said.toolCalls,
        finishReason: said.finishReason,
        refusal: said.refusal,
      };
      return { facts, defects, complete: end.done || hasStopped(), failed: end.failed };
    },
  };
}
