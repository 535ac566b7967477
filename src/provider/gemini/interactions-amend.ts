/**
 * Writes a reviewer's amendment into an interaction, whole or streamed. What Google keeps of it, for a later
 * turn that names it, stays as the model gave it. Pure.
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
import type { Amendment, ResponseReading } from '../protocol.ts';
import { openEventStream } from '../reading/stream.ts';
import { isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { readInteraction, stepsKey } from './interactions.ts';
import { createInteractionStreamReader, interactionEventType } from './interactions-stream.ts';
import { isCallStep } from './steps.ts';

const okStatus = 200;
const amendableSteps: ReadonlySet<string> = new Set(['function_call', 'mcp_server_tool_call']);

/** New arguments for calls, met in the order of the facts; undefined where a call stays. */
function nextArguments(at: ArgumentsAt) {
  let place = 0;
  return (step: JsonRecord): JsonRecord | undefined => {
    const value = at.get(place);
    place += 1;
    if (value === undefined) return undefined;
    const type = textOf(step['type']);
    if (!amendableSteps.has(type)) throw unamendable(`a ${type} has no arguments of its own`);
    return objectArguments(value);
  };
}

/** The new text where the first text stood; the others are emptied. */
function nextText(text: string | undefined) {
  let written = false;
  return (value: JsonRecord): JsonRecord => {
    if (text === undefined || value['type'] !== 'text') return value;
    const said = written ? '' : text;
    written = true;
    // Annotations count the characters of the text they are about.
    const { annotations: _annotations, ...rest } = value;
    return { ...rest, text: said };
  };
}

/** A convenience of some clients' servers: the text once more. */
function textAgain(interaction: JsonRecord, text: string | undefined): JsonRecord {
  if (text === undefined || typeof interaction['output_text'] !== 'string') return interaction;
  return { ...interaction, output_text: text };
}

function amendJson(original: Buffer, amendment: Amendment): Buffer {
  const before = readInteraction(okStatus, original);
  const at = planAmendment(before, amendment);
  const argumentsOf = nextArguments(at);
  const textIn = nextText(amendment.text);
  const rewriteCall = (step: JsonRecord): JsonRecord => {
    const args = argumentsOf(step);
    return args === undefined ? step : { ...step, arguments: args };
  };
  const rewriteBlock = (block: unknown): unknown => {
    if (!isRecord(block)) return block;
    return isCallStep(textOf(block['type'])) ? rewriteCall(block) : textIn(block);
  };
  const rewriteStep = (step: unknown): unknown => {
    const isOutput = isRecord(step) && step['type'] === 'model_output';
    if (!isOutput || !Array.isArray(step['content'])) return rewriteBlock(step);
    return { ...step, content: step['content'].map(rewriteBlock) };
  };
  const amended = rewriteJson(original, (body) => {
    const key = stepsKey(body);
    const steps = body[key];
    const rewritten = Array.isArray(steps) ? { ...body, [key]: steps.map(rewriteStep) } : body;
    return textAgain(rewritten, amendment.text);
  });
  confirmCalls(before, readInteraction(okStatus, amended), at, amendment);
  return amended;
}

function readStream(bytes: Buffer): ResponseReading {
  const stream = openEventStream(createInteractionStreamReader(okStatus), Math.max(bytes.length, 1));
  stream.push(bytes);
  return stream.finish().reading;
}

function amendStream(original: Buffer, amendment: Amendment): Buffer {
  const before = readStream(original);
  const at = planAmendment(before, amendment);
  const argumentsOf = nextArguments(at);
  const textIn = nextText(amendment.text);
  /** New arguments by the step's index, until they were written; null from then on. */
  const pending = new Map<unknown, JsonRecord | null>();

  function start(value: JsonRecord): readonly JsonRecord[] | null {
    const key = isRecord(value['step']) ? 'step' : 'content';
    const step = value[key];
    if (!isRecord(step)) return null;
    if (isCallStep(textOf(step['type']))) {
      const args = argumentsOf(step);
      if (args === undefined) return null;
      const whole = isRecord(step['arguments']) && Object.keys(step['arguments']).length > 0;
      pending.set(value['index'], whole ? null : args);
      return whole ? [{ ...value, [key]: { ...step, arguments: args } }] : null;
    }
    if (!Array.isArray(step['content'])) return [{ ...value, [key]: textIn(step) }];
    const content = step['content'].map((block: unknown) => (isRecord(block) ? textIn(block) : block));
    return [{ ...value, [key]: { ...step, content } }];
  }

  function delta(value: JsonRecord): readonly JsonRecord[] | null {
    const piece = value['delta'];
    if (!isRecord(piece)) return null;
    const args = pending.get(value['index']);
    const carries = 'arguments' in piece || 'partial_arguments' in piece;
    if (args !== undefined && carries) {
      if (args === null) return [];
      pending.set(value['index'], null);
      const written = piece['type'] === 'arguments_delta' ? JSON.stringify(args) : args;
      const { partial_arguments: _pieces, ...rest } = piece;
      return [{ ...value, delta: { ...rest, arguments: written } }];
    }
    const annotates = /^text_annotation/.test(textOf(piece['type']));
    if (amendment.text !== undefined && annotates) return [];
    return [{ ...value, delta: textIn(piece) }];
  }

  const amended = rewriteStream(original, (value) => {
    const type = interactionEventType(value, '');
    if (type === 'step.start') return start(value);
    if (type === 'step.delta') return delta(value);
    const { interaction } = value;
    if (isRecord(interaction)) {
      const again = textAgain(interaction, amendment.text);
      return again === interaction ? null : [{ ...value, interaction: again }];
    }
    const args = type === 'step.stop' ? pending.get(value['index']) : undefined;
    // A call without a word about its arguments gets them before it ends.
    if (!isRecord(args)) return null;
    pending.set(value['index'], null);
    const written = { type: 'arguments_delta', arguments: JSON.stringify(args) };
    return [{ event_type: 'step.delta', index: value['index'], delta: written }, value];
  });
  confirmCalls(before, readStream(amended), at, amendment);
  return amended;
}

/** The answer with the amendment applied, in its own form. */
export function amendInteraction(original: Buffer, streaming: boolean, amendment: Amendment): Buffer {
  return streaming ? amendStream(original, amendment) : amendJson(original, amendment);
}
