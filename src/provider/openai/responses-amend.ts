/**
 * Writes a reviewer's amendment into a response of the responses API. In a stream every place that
 * repeats an amended part is rewritten: deltas, `done` events and the terminal event's response. Pure.
 */
import {
  type ArgumentsAt,
  confirmAmended,
  customInput,
  objectArguments,
  planAmendment,
  rewriteJson,
  rewriteStream,
  unamendable,
} from '../amending/amendment.ts';
import { withoutSaidAgain } from '../amending/said-again.ts';
import type { Amendment, ResponseReading } from '../protocol.ts';
import { openEventStream } from '../reading/stream.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { isCallItem, readResponsesResponse } from './responses.ts';
import { createResponsesStreamReader } from './responses-stream.ts';

const okStatus = 200;

/** What every output item becomes: new arguments by output index, new texts by output and content index. */
interface OutputPlan {
  readonly callInput: ReadonlyMap<number, string>;
  readonly text: ReadonlyMap<string, string>;
}

function textKey(outputIndex: unknown, contentIndex: unknown): string {
  return `${outputIndex}.${contentIndex}`;
}

function plannedInput(type: string, value: unknown): string {
  if (type === 'function_call') return JSON.stringify(objectArguments(value));
  if (type === 'custom_tool_call') return customInput(value);
  throw unamendable(`the arguments of a ${type} are fixed by the provider`);
}

/** The first text part takes the new text, all others are emptied. */
function planOutput(output: ReadonlyMap<number, unknown>, at: ArgumentsAt, text?: string): OutputPlan {
  const callInput = new Map<number, string>();
  const texts = new Map<string, string>();
  let place = 0;
  for (const [index, item] of output) {
    const type = isRecord(item) ? textOf(item['type']) : '';
    if (isRecord(item) && isCallItem(type)) {
      const value = at.get(place);
      place += 1;
      if (value !== undefined) callInput.set(index, plannedInput(type, value));
    }
    if (!isRecord(item) || text === undefined || !Array.isArray(item['content']) || type !== 'message')
      continue;
    item['content'].forEach((part: unknown, partIndex) => {
      if (!isRecord(part) || typeof part['text'] !== 'string') return;
      texts.set(textKey(index, partIndex), texts.size === 0 ? text : '');
    });
  }
  return { callInput, text: texts };
}

function partWith(part: unknown, text: string | undefined): unknown {
  if (text === undefined || !isRecord(part) || typeof part['text'] !== 'string') return part;
  const next: Record<string, unknown> = { ...part, text };
  // Both point into the text that was replaced; log probabilities spell it out.
  if (!isAbsent(part['annotations'])) next['annotations'] = [];
  if (!isAbsent(part['logprobs'])) next['logprobs'] = [];
  return next;
}

function itemWith(item: unknown, index: number, plan: OutputPlan): unknown {
  if (!isRecord(item)) return item;
  const input = plan.callInput.get(index);
  if (input !== undefined) {
    const member = item['type'] === 'custom_tool_call' ? 'input' : 'arguments';
    return { ...withoutSaidAgain(item), [member]: input };
  }
  if (!Array.isArray(item['content']) || item['type'] !== 'message') return item;
  const content = item['content'].map((part: unknown, i) => partWith(part, plan.text.get(textKey(index, i))));
  return { ...item, content };
}

function responseWith(response: JsonRecord, indexes: readonly number[], plan: OutputPlan): JsonRecord {
  if (!Array.isArray(response['output'])) return response;
  const output = response['output'].map((item: unknown, i) => itemWith(item, indexes[i] ?? i, plan));
  const next: Record<string, unknown> = { ...withoutSaidAgain(response), output };
  // A convenience some servers add: all text once more.
  if (typeof response['output_text'] === 'string' && plan.text.size > 0) {
    next['output_text'] = [...plan.text.values()].join('');
  }
  return next;
}

function amendJson(original: Buffer, amendment: Amendment): Buffer {
  const at = planAmendment(readResponsesResponse(okStatus, original), amendment);
  const amended = rewriteJson(original, (body) => {
    const output: readonly unknown[] = Array.isArray(body['output']) ? body['output'] : [];
    const indexed = new Map(output.map((item, i) => [i, item]));
    return responseWith(body, [...indexed.keys()], planOutput(indexed, at, amendment.text));
  });
  confirmAmended(readResponsesResponse(okStatus, amended), amendment);
  return amended;
}

function readStream(bytes: Buffer): { reading: ResponseReading; output: ReadonlyMap<number, JsonRecord> } {
  const reader = createResponsesStreamReader(okStatus);
  const stream = openEventStream(reader, Math.max(bytes.length, 1));
  stream.push(bytes);
  return { reading: stream.finish().reading, output: reader.output() };
}

/** Rewrites one event; `opened` remembers which parts have had their one new delta. */
function rewriteEvent(
  value: JsonRecord,
  plan: OutputPlan,
  opened: Set<string>,
): readonly JsonRecord[] | null {
  const type = textOf(value['type']);
  const index = value['output_index'];
  if (typeof index !== 'number') return null;
  if (type === 'response.output_item.added' || type === 'response.output_item.done') {
    const item = value['item'];
    // An item is opened empty and filled by deltas; where it was not, it is filled anew.
    const isEmpty = isRecord(item) && !item['arguments'] && !item['input'];
    if (type.endsWith('added') && isEmpty) return null;
    return [{ ...value, item: itemWith(item, index, plan) }];
  }
  const input = plan.callInput.get(index);
  const key = textKey(index, value['content_index'] ?? 0);
  const text = input === undefined ? plan.text.get(key) : undefined;
  const replacement = input ?? text;
  if (replacement === undefined) return null;
  if (type.endsWith('annotation.added')) return [];
  if (type.startsWith('response.content_part.')) {
    const part = partWith(value['part'], type.endsWith('added') ? '' : replacement);
    return [{ ...value, part }];
  }
  if (type.endsWith('.delta')) {
    if (opened.has(key) || replacement === '') return [];
    opened.add(key);
    return [withoutSpelling({ ...value, delta: replacement })];
  }
  if (type === 'response.output_text.done') return [withoutSpelling({ ...value, text: replacement })];
  const rest = withoutSpelling(value);
  if (type === 'response.function_call_arguments.done') return [{ ...rest, arguments: replacement }];
  return type === 'response.custom_tool_call_input.done' ? [{ ...rest, input: replacement }] : null;
}

function withoutSpelling(value: JsonRecord): JsonRecord {
  const { obfuscation: _padding, logprobs, ...rest } = value;
  return isAbsent(logprobs) ? withoutSaidAgain(rest) : { ...withoutSaidAgain(rest), logprobs: [] };
}

function amendStream(original: Buffer, amendment: Amendment): Buffer {
  const { reading, output } = readStream(original);
  const plan = planOutput(output, planAmendment(reading, amendment), amendment.text);
  const opened = new Set<string>();
  const amended = rewriteStream(original, (value) => {
    const response = value['response'];
    if (!isRecord(response)) return rewriteEvent(value, plan, opened);
    return [{ ...value, response: responseWith(response, [...output.keys()], plan) }];
  });
  confirmAmended(readStream(amended).reading, amendment);
  return amended;
}

/** The answer with the amendment applied, in its own form. */
export function amendResponses(original: Buffer, streaming: boolean, amendment: Amendment): Buffer {
  return streaming ? amendStream(original, amendment) : amendJson(original, amendment);
}
