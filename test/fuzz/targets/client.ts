/**
 * What a lenient client makes of an answer: one that takes the last of two equal keys, ignores what it does not
 * know, and reads on past what it cannot read. It shares no code with the readers it is held against. Of each call
 * it gives the name alone.
 */
import type { StreamForm } from '../../../src/provider/protocol.ts';

/** Where clients look for a call's name, from the outside in; `*` is each element of a list. */
const places: readonly (readonly [operation: RegExp, path: string, guard?: readonly [string, string]])[] = [
  [/^chat\.completions$/, 'choices.*.message.tool_calls.*.function.name'],
  [/^chat\.completions$/, 'choices.*.delta.tool_calls.*.function.name'],
  [/^chat\.completions$/, 'choices.*.message.function_call.name'],
  [/^chat\.completions$/, 'choices.*.delta.function_call.name'],
  [/^responses$/, 'output.*.name', ['type', 'function_call']],
  [/^responses$/, 'item.name', ['type', 'function_call']],
  [/^responses$/, 'response.output.*.name', ['type', 'function_call']],
  [/^messages$/, 'content.*.name', ['type', 'tool_use']],
  [/^messages$/, 'content_block.name', ['type', 'tool_use']],
  [/^messages$/, 'message.content.*.name', ['type', 'tool_use']],
  [/generate_content$/, 'candidates.*.content.parts.*.functionCall.name'],
  [/^interactions$/, 'steps.*.name', ['type', 'function_call']],
  [/^interactions$/, 'outputs.*.name', ['type', 'function_call']],
  [/^interactions$/, 'step.name', ['type', 'function_call']],
  [/^converse/, 'output.message.content.*.toolUse.name'],
  [/^converse/, 'start.toolUse.name'],
  [/^chat$/, 'message.tool_calls.*.function.name'],
  [/^chat$/, 'delta.message.tool_calls.function.name'],
  [/^chat\.v1$/, 'tool_calls.*.name'],
  [/^chat\.v1$/, 'response.tool_calls.*.name'],
  [/^conversations$/, 'outputs.*.name', ['type', 'function.call']],
  [/^threads\.runs$/, 'required_action.submit_tool_outputs.tool_calls.*.function.name'],
];

/** The names of calls in one JSON value of an answer to `operation`. */
export function callsIn(operation: string, value: unknown): readonly string[] {
  return places.flatMap(([of, path, guard]) => {
    if (!of.test(operation)) return [];
    const steps = path.split('.');
    const owner = guard === undefined ? steps : steps.slice(0, -1);
    const found = reach(value, owner);
    const names =
      guard === undefined
        ? found
        : found.filter((at) => member(at, guard[0]) === guard[1]).map((at) => member(at, 'name'));
    return names.filter((name) => typeof name === 'string');
  });
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}

function reach(value: unknown, [step, ...rest]: readonly string[]): readonly unknown[] {
  if (step === undefined) return [value];
  if (step === '*') return Array.isArray(value) ? value.flatMap((item) => reach(item, rest)) : [];
  return reach(member(value, step), rest);
}

/** Every JSON value that a client finds in an answer's bytes. */
export function valuesIn(form: StreamForm | null, bytes: Buffer): readonly unknown[] {
  return textsIn(form, bytes).flatMap((text) => {
    try {
      const value: unknown = JSON.parse(text);
      return form === 'json-array' && Array.isArray(value) ? value : [value];
    } catch (error) {
      if (error instanceof SyntaxError) return [];
      throw error;
    }
  });
}

function textsIn(form: StreamForm | null, bytes: Buffer): readonly string[] {
  if (form === 'sse') return eventData(bytes.toString('utf8'));
  if (form === 'ndjson') return bytes.toString('utf8').split('\n');
  if (form === 'aws-eventstream') return framePayloads(bytes);
  return [bytes.toString('utf8').replace(/^\uFEFF/, '')];
}

/** By the standard, and at the end of the body as SDKs do: what stands there unfinished is an event as well. */
function eventData(text: string): readonly string[] {
  const events: string[] = [];
  let data: string[] = [];
  for (const line of [...text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/), '']) {
    if (line === '') {
      if (data.length > 0) events.push(data.join('\n'));
      data = [];
      continue;
    }
    const colon = line.indexOf(':');
    if ((colon === -1 ? line : line.slice(0, colon)) !== 'data') continue;
    data.push(colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, ''));
  }
  return events;
}

const frameBytesMin = 16;

/** Checksums are left unchecked: a client that does not check them reads more. */
function framePayloads(bytes: Buffer): readonly string[] {
  const payloads: string[] = [];
  for (let at = 0; at + frameBytesMin <= bytes.length; ) {
    const end = at + bytes.readUInt32BE(at);
    const payload = at + 12 + bytes.readUInt32BE(at + 4);
    if (end < at + frameBytesMin || end > bytes.length || payload > end - 4) return payloads;
    payloads.push(bytes.toString('utf8', payload, end - 4));
    at = end;
  }
  return payloads;
}
