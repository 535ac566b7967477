/**
 * Interactions, streamed (https://ai.google.dev/gemini-api/docs/interactions/streaming): reassembles the steps
 * and says which events carry part of a call. The API's first revision named the same events otherwise. Pure.
 */
import type { ToolCallFact } from '../../core/facts.ts';
import { namesOf } from '../reading/call-readings.ts';
import { joined, note, pieceOf, toolCallsMax } from '../reading/reading.ts';
import type { StreamEventKind, StreamReader } from '../reading/stream.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { readInteractionUsage, readSteps, type StepsRead, stepsKey, stepsMax } from './interactions.ts';
import { addStepCall, isCallStep, saidWith } from './steps.ts';

interface StepInProgress {
  readonly type: string;
  /** The step as it began, with what came whole since. */
  step: JsonRecord;
  text: string;
  pieces: string;
  /** Deltas of unknown types, any of which might ask for something to be done. */
  readonly strays: JsonRecord[];
  /** Its end was seen, where some clients take the call up. */
  over: boolean;
  /** Who passes over its events so far: nobody ('') or the same clients over all of them. */
  readonly missedBy: string;
  /** The same of what its pieces say; null before the first. */
  unsaidTo: string | null;
}

/** Which clients pass over an event: the AI SDK goes by `event_type`, and knows its present names alone. */
function missedBy({ event_type: type }: JsonRecord): string {
  return typeof type === 'string' && !Object.hasOwn(renamed, type) ? '' : ' name';
}

/** Which clients pass over what a piece of a call says: its arguments had another name in the API's first revision. */
function unsaidTo({ arguments: piece, partial_arguments: old }: JsonRecord): string {
  return isAbsent(piece) && !isAbsent(old) ? ' partial' : '';
}

const saidDeltas: ReadonlySet<string> = new Set([
  'text',
  'image',
  'audio',
  'video',
  'document',
  'text_annotation',
  'text_annotation_delta',
  'thought_summary',
  'thought_signature',
]);

const silentDeltas: ReadonlySet<string> = new Set(['thought_signature', 'text_annotation_delta']);

/** Members of events that steps and pieces of them come in. */
const carriers = ['step', 'content', 'delta', 'interaction'] as const;

const renamed: Readonly<Record<string, string>> = {
  'interaction.start': 'interaction.created',
  'interaction.complete': 'interaction.completed',
  'content.start': 'step.start',
  'content.delta': 'step.delta',
  'content.stop': 'step.stop',
};

/** An event's type by the API's present revision. */
export function interactionEventType(value: JsonRecord, event: string): string {
  const type = textOf(value['event_type']) || event;
  return Object.hasOwn(renamed, type) ? (renamed[type] ?? type) : type;
}

/** Opens a reader for one stream. */
export function createInteractionStreamReader(status: number): StreamReader {
  const defects: string[] = [];
  const steps = new Map<number, StepInProgress>();
  let final: StepsRead | null = null;
  let usage: unknown = null;
  let model = '';
  let finishReason = '';
  let stopped = false;
  let failed = false;

  function stepStart(value: JsonRecord): StreamEventKind {
    const step = value['step'] ?? value['content'];
    const index = value['index'];
    if (!isRecord(step) || typeof index !== 'number') {
      note(defects, 'a step is not an object with a place');
      return 'tool';
    }
    if (steps.size >= stepsMax) {
      note(defects, `more than ${stepsMax} steps`);
      return 'tool';
    }
    if (steps.has(index)) note(defects, 'two steps begin at one place');
    const type = textOf(step['type']);
    const said = isCallStep(type) ? { text: '', toolCalls: [] } : readSteps([step], defects);
    const own = {
      text: said.text,
      pieces: '',
      strays: [],
      over: false,
      missedBy: missedBy(value),
      unsaidTo: null,
    };
    steps.set(index, { type, step, ...own });
    if (isCallStep(type) || said.toolCalls.length > 0) return 'tool';
    return said.text === '' ? 'other' : 'text';
  }

  /** A piece of a call: its arguments as text, or as a value that comes whole. */
  function callDelta(open: StepInProgress, delta: JsonRecord, value: JsonRecord): StreamEventKind {
    const type = textOf(delta['type']);
    open.unsaidTo ??= unsaidTo(delta);
    if (stopped || missedBy(value) !== open.missedBy || unsaidTo(delta) !== open.unsaidTo)
      note(defects, 'some clients pass over a piece of a tool call');
    if (!isCallStep(open.type) && type !== 'arguments_delta' && !type.endsWith('_call')) {
      if (open.strays.length >= toolCallsMax) note(defects, `more than ${toolCallsMax} tool calls`);
      else open.strays.push(delta);
      return 'tool';
    }
    if (!isCallStep(open.type)) note(defects, 'a step that is no tool call receives arguments');
    if (type === 'arguments_delta') {
      open.pieces += pieceOf(
        delta['arguments'] ?? delta['partial_arguments'],
        'a piece of a tool call',
        defects,
      );
      return 'tool';
    }
    if (type !== open.type) note(defects, 'a step receives a piece of another type');
    const before = open.step['arguments'];
    if (isRecord(before) && Object.keys(before).length > 0) note(defects, 'a tool call has two arguments');
    open.step = { ...open.step, ...delta };
    return 'tool';
  }

  function stepDelta(value: JsonRecord): StreamEventKind {
    const { delta, index } = value;
    const open = typeof index === 'number' ? steps.get(index) : undefined;
    if (!isRecord(delta) || open === undefined) {
      note(defects, 'a delta belongs to no step');
      return 'tool';
    }
    if (open.over) note(defects, 'a step goes on after its end');
    const type = textOf(delta['type']);
    if (!saidDeltas.has(type) && !type.endsWith('_result')) return callDelta(open, delta, value);
    open.text = saidWith(open.text, delta);
    if (isCallStep(open.type)) return 'tool';
    return silentDeltas.has(type) || (type === 'text' && delta['text'] === '') ? 'other' : 'text';
  }

  function stepStop(index: unknown): StreamEventKind {
    const open = typeof index === 'number' ? steps.get(index) : undefined;
    if (open !== undefined) open.over = true;
    return 'other';
  }

  /** The interaction that begins or ends a stream, or tells how it goes, may have steps in it, of which clients may go by either. */
  function absorbInteraction(value: JsonRecord, kind: StreamEventKind): StreamEventKind {
    const { interaction } = value;
    if (!isRecord(interaction)) return kind;
    model = textOf(interaction['model']) || textOf(interaction['agent']) || model;
    finishReason = textOf(interaction['status']) || finishReason;
    if (isRecord(interaction['usage'])) usage = interaction['usage'];
    if (!isAbsent(interaction['error'])) failed = true;
    const list = interaction[stepsKey(interaction)];
    if (isAbsent(list) || (Array.isArray(list) && list.length === 0)) return kind;
    const before = final;
    final = readSteps(list, defects);
    if (before !== null && before.toolCalls.length > 0 && calls(before) !== calls(final))
      note(defects, 'the stream ends with other tool calls than it had');
    return final.toolCalls.length > 0 || defects.length > 0 ? 'tool' : kind;
  }

  function absorbType(type: string, value: JsonRecord): StreamEventKind {
    switch (type) {
      case 'interaction.created':
      case 'interaction.status_update':
      case 'interaction.in_progress':
      case 'interaction.requires_action':
        finishReason = textOf(value['status']) || finishReason;
        if (isRecord(value['usage'])) usage = value['usage'];
        return absorbInteraction(value, 'other');
      case 'step.start':
        return stepStart(value);
      case 'step.delta':
        return stepDelta(value);
      case 'step.stop':
        return stepStop(value['index']);
      case 'interaction.completed':
        stopped = true;
        return absorbInteraction(value, 'end');
      case 'error':
        failed = true;
        return 'error';
      default:
        // Whoever knows it may find a call in it.
        if (carriers.some((member) => isRecord(value[member])))
          note(defects, 'an event of the stream has an unknown type');
        return 'tool';
    }
  }

  function readStreamed(): StepsRead {
    const toolCalls: ToolCallFact[] = [];
    let text = '';
    for (const [, { type, step, text: said, pieces, strays }] of [...steps].sort(([a], [b]) => a - b)) {
      text = joined(text, said);
      if (isCallStep(type)) addStepCall(step, { pieces }, toolCalls, defects);
      else readSteps([step], [], undefined, toolCalls);
      for (const stray of strays) addStepCall(stray, { pieces: '' }, toolCalls, defects);
    }
    return { text, toolCalls };
  }

  const calls = (read: StepsRead) =>
    JSON.stringify(read.toolCalls.map((call) => [namesOf(call), call.arguments]));

  return {
    defects,
    absorbText(data) {
      if (data.trim() !== '[DONE]') return null;
      stopped = true;
      return 'end';
    },
    absorbEmpty: (event) => (event === 'error' ? absorbType('error', {}) : 'other'),
    absorb: (event, value) => absorbType(interactionEventType(value, event), value),
    reading() {
      const streamed = readStreamed();
      const read = final === null || steps.size > 0 ? streamed : final;
      if (final !== null && read !== final && calls(final) !== calls(streamed)) {
        note(defects, 'the stream ends with other tool calls than it had');
      }
      // Some clients show what was streamed, some what the end repeats of it.
      const again = final?.text ?? '';
      const facts = {
        status,
        model,
        fingerprint: '',
        ...read,
        text: read.text.includes(again) ? read.text : joined(read.text, again),
        finishReason,
        usage: readInteractionUsage(usage),
        refusal: '',
      };
      return { facts, defects, complete: stopped, failed };
    },
  };
}
