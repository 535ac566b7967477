/**
 * The steps of an interaction (https://ai.google.dev/api/interactions-api): which ask for something to be done,
 * and what they say. The API's first revision called them outputs and wrote a step's content as the step. Pure.
 */
import type { CallReading, ToolCallFact } from '../../core/facts.ts';
import { qualified, toolNamedIn } from '../reading/call-readings.ts';
import { addCall, addJsonCall, joined, note } from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { fileText } from './parts.ts';

const stepsWithoutCall: ReadonlySet<string> = new Set([
  'model_output',
  'user_input',
  'thought',
  'text',
  'image',
  'audio',
  'video',
  'document',
]);

/** Those whose `arguments` are for the client, or a server of the customer's, to act on. */
const namedCalls: ReadonlySet<string> = new Set(['function_call', 'mcp_server_tool_call']);

/** True for any step or content that asks for something to be done; an unknown type might. */
export function isCallStep(type: string): boolean {
  return !stepsWithoutCall.has(type) && !type.endsWith('_result');
}

/** How the arguments of a step were written apart from the step. */
export interface StepArguments {
  /** Piece by piece, as a JSON text; '' for not at all. */
  readonly pieces: string;
  /** How the object in the step was written, where that is known. */
  readonly source?: string | undefined;
}

/** Adds the call a step makes. One of an unknown type is a call named after the type. */
export function addStepCall(
  step: JsonRecord,
  { pieces, source }: StepArguments,
  into: ToolCallFact[],
  defects: string[],
): void {
  const type = textOf(step['type']);
  const id = textOf(step['id']);
  const name = namedCalls.has(type) ? textOf(step['name']) : type || 'untyped_step';
  const alsoAs = (call: CallReading) =>
    namedCalls.has(type)
      ? qualified(step['server_name'], call)
      : toolNamedIn({ ...step, arguments: call.arguments }, defects);
  const args = step['arguments'];
  const whole = isRecord(args) && Object.keys(args).length > 0;
  if (type === 'function_call' && name === '') note(defects, 'a tool call has no name');
  if (pieces !== '') {
    if (whole) note(defects, 'a tool call has its arguments both whole and in pieces');
    addJsonCall(into, defects, id, name, pieces, alsoAs);
  } else if (isRecord(args)) {
    const argumentsText = source ?? JSON.stringify(args);
    addCall(into, defects, id, name, args, argumentsText, alsoAs({ name, arguments: args, argumentsText }));
  } else if (namedCalls.has(type) || type.endsWith('_call')) {
    if (!isAbsent(args)) note(defects, 'the arguments of a tool call are not an object');
    addJsonCall(into, defects, id, name, '{}', alsoAs);
  } else {
    const { id: _id, type: _type, ...rest } = step;
    addCall(into, defects, id, name, rest, JSON.stringify(rest), toolNamedIn(rest, defects));
  }
}

/** What an answer says with one more block or piece: texts go on, the words of a text file stand apart. */
export function saidWith(before: string, block: JsonRecord): string {
  return block['type'] === 'text' ? before + textOf(block['text']) : joined(before, fileText(block));
}

/** The content blocks of a step that says something; the step itself where it is one block. */
export function blocksOf(step: JsonRecord, defects: string[]): readonly JsonRecord[] {
  if (textOf(step['type']) !== 'model_output') return [step];
  const content = step['content'];
  if (isAbsent(content)) return [];
  if (!Array.isArray(content)) {
    note(defects, 'the content of a step is not a list');
    return [];
  }
  return content.filter((block): block is JsonRecord => {
    if (isRecord(block)) return true;
    note(defects, 'an entry of the content of a step is not an object');
    return false;
  });
}

/** Base64, signatures and names of things are no text. */
const unsaid: ReadonlySet<string> = new Set([
  'type',
  'role',
  'data',
  'signature',
  'id',
  'call_id',
  'mime_type',
]);

/** Everything a model reads as text in what a request gives it: a text, a block, a step, a turn, or a list. */
export function inputText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.reduce<string>((text, one) => joined(text, inputText(one)), '');
  if (!isRecord(value) || namedCalls.has(textOf(value['type']))) return '';
  let text = fileText(value);
  for (const [key, member] of Object.entries(value)) {
    if (!unsaid.has(key)) text = joined(text, inputText(member));
  }
  return text;
}
