/** Hostile and generated input for the readers of OpenAI's other operations. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readBatchLines as anthropicLines } from '../../../src/provider/anthropic/batches.ts';
import { batchEntriesOf } from '../../../src/provider/batches/batch-lines.ts';
import { resultsIn } from '../../../src/provider/batches/batch-results.ts';
import { protocolOf } from '../../../src/provider/index.ts';
import { openaiResultLines, readBatchLine } from '../../../src/provider/openai/batches.ts';
import { headOf } from '../../unit/provider/streams.ts';
import { plainValue } from './answers.ts';

const families = [
  {
    protocol: protocolOf('openai'),
    operations: [
      'completions',
      'embeddings',
      'images.edits',
      'audio.transcriptions',
      'threads.runs',
      'threads.runs.steps',
      'threads.messages',
      'conversations.items',
      'chat.completions.list',
      'agents.sessions',
      'realtime.sessions',
      'responses.compact',
      'evals.runs',
      'vector_stores.search',
    ],
  },
  {
    protocol: protocolOf('anthropic'),
    operations: [
      'messages.count_tokens',
      'messages.batches',
      'messages.batches.results',
      'complete',
      'files',
    ],
  },
  { protocol: protocolOf('azure'), operations: ['chat.completions', 'threads.runs', 'completions'] },
] as const;
const anyOperation = fc.constantFrom(
  ...families.flatMap(({ protocol, operations }) => operations.map((operation) => ({ protocol, operation }))),
);
type Read = { readonly protocol: (typeof families)[number]['protocol']; readonly operation: string };

function readChunks({ protocol, operation }: Read, chunks: readonly Buffer[]) {
  const stream = protocol.openStream(operation, 200, 'sse');
  const events = chunks.flatMap((chunk) => stream.push(chunk));
  const { rest, reading } = stream.finish();
  return { events, rest, reading };
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

const name = fc.constantFrom(
  'tool_calls',
  'function',
  'function_call',
  'custom',
  'arguments',
  'input',
  'id',
  'call_id',
  'type',
  'name',
  'delta',
  'step_details',
  'content',
  'text',
  'value',
  'choices',
  'completion',
  'requests',
  'params',
  'session',
  'thread',
  'messages',
  'items',
  'tools',
  'index',
  'stop_reason',
  'custom_id',
);
const word = fc.constantFrom(
  'function',
  'function_call',
  'code_interpreter',
  'tool_use',
  'x_call',
  'text',
  'completion',
  '',
  'x',
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(null, 0, 1, -1, true, '{}', '{'),
    word,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 6 }),
  ),
}));
const eventName = fc.constantFrom(
  '',
  'event: thread.run.step.delta\n',
  'event: thread.message.delta\n',
  'event: thread.run.requires_action\n',
  'event: completion\n',
  'event: error\n',
  'event: x\n',
);

test('no reader throws on known members of any type', () => {
  fc.assert(
    fc.property(anyOperation, fc.array(fc.tuple(eventName, value), { maxLength: 4 }), (read, values) => {
      for (const [, one] of values) {
        const bytes = Buffer.from(JSON.stringify(one));
        const request = read.protocol.readRequest(read.operation, bytes, headOf('/'));
        expect(typeof request.facts.text).toBe('string');
        expect(typeof read.protocol.readResponse(read.operation, 200, bytes).facts.text).toBe('string');
        expect([
          ...[...batchEntriesOf(bytes)].map(readBatchLine),
          ...resultsIn(bytes, openaiResultLines),
          ...anthropicLines(bytes),
        ]).toBeDefined();
      }
      const stream = values.map(([event, one]) => `${event}data: ${JSON.stringify(one)}\n\n`).join('');
      expect(Array.isArray(readChunks(read, [Buffer.from(stream)]).reading.defects)).toBe(true);
    }),
    { numRuns: 600 },
  );
});

test('no reader throws on any bytes, in a form or not', () => {
  fc.assert(
    fc.property(anyOperation, fc.uint8Array({ maxLength: 120 }), fc.boolean(), (read, raw, isForm) => {
      const bytes = Buffer.from(raw);
      const head = headOf('/openai/deployments/%zz/x', isForm ? 'multipart/form-data; boundary=b' : '');
      expect(Array.isArray(read.protocol.readRequest(read.operation, bytes, head).defects)).toBe(true);
      expect(read.protocol.readResponse(read.operation, 200, bytes).facts.status).toBe(200);
      expect([
        ...[...batchEntriesOf(bytes)].map(readBatchLine),
        ...resultsIn(bytes, openaiResultLines),
        ...anthropicLines(bytes),
      ]).toBeDefined();
    }),
    { numRuns: 300 },
  );
});

test('a call anywhere in an object is found, and so is one that was answered', () => {
  const openai = protocolOf('openai');
  const call = fc.constantFrom(
    { id: 'c', type: 'function', function: { name: 'pay', arguments: '{}' } },
    { id: 'i', type: 'function_call', call_id: 'c', name: 'pay', arguments: '{}' },
  );
  const wrap = fc.array(fc.oneof(fc.constant(null), fc.constantFrom('data', 'items', 'output', 'x')), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(call, wrap, (inner, steps) => {
      let whole: unknown = inner;
      for (const step of steps) whole = step === null ? [whole] : { [step]: whole };
      const body = { object: 'list', data: whole };
      const bytes = Buffer.from(JSON.stringify(body));
      expect(openai.readResponse('conversations.items', 200, bytes).facts.toolCalls).toMatchObject([
        { name: 'pay' },
      ]);
      const output = { type: 'function_call_output', call_id: 'c', output: 'done' };
      const answered = Buffer.from(JSON.stringify({ ...body, output }));
      expect(openai.readResponse('conversations.items', 200, answered).facts.toolCalls).toHaveLength(1);
      const stream = Buffer.from(`data: ${JSON.stringify(body)}\n\n`);
      for (const operation of ['agents.sessions', 'threads.runs']) {
        expect(readChunks({ protocol: openai, operation }, [stream]).events[0]?.kind).toBe('tool');
      }
    }),
    { numRuns: 200 },
  );
});

interface GeneratedRun {
  readonly text: string;
  readonly calls: readonly { readonly name: string; readonly args: unknown }[];
  readonly pieceChars: number;
  readonly toldWhole: boolean;
}

const generatedRun: fc.Arbitrary<GeneratedRun> = fc.record({
  text: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).filter((text) => !/[\r\n]/.test(text)),
  calls: fc.array(
    fc.record({
      name: fc.string({ minLength: 1, maxLength: 8 }).filter((text) => text.trim() !== ''),
      args: fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), plainValue({ maxDepth: 1 }), { maxKeys: 3 }),
    }),
    { maxLength: 3 },
  ),
  pieceChars: fc.integer({ min: 1, max: 9 }),
  toldWhole: fc.boolean(),
});

function pieces(text: string, chars: number): string[] {
  const out: string[] = [];
  for (let at = 0; at < text.length; at += chars) out.push(text.slice(at, at + chars));
  return out;
}

/** A run as Azure and OpenAI stream it: a message, then a step with calls, then what the run requires. */
function streamOf({ text, calls, pieceChars, toldWhole }: GeneratedRun): Buffer {
  const event = (kind: string, data: unknown) => `event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;
  const step = (call: unknown) =>
    event('thread.run.step.delta', {
      id: 'step_1',
      delta: { step_details: { type: 'tool_calls', tool_calls: [call] } },
    });
  const whole = calls.map(({ name: fn, args }, i) => ({
    id: `c${i}`,
    type: 'function',
    function: { name: fn, arguments: JSON.stringify(args) },
  }));
  const out = [event('thread.run.created', { status: 'queued', model: 'm' })];
  for (const piece of pieces(text, pieceChars)) {
    const content = [{ index: 0, type: 'text', text: { value: piece } }];
    out.push(event('thread.message.delta', { id: 'm', delta: { content } }));
  }
  whole.forEach((call, index) => {
    const { name: fn, arguments: args } = call.function;
    out.push(step({ ...call, index, function: { name: fn, arguments: '' } }));
    for (const piece of pieces(args, pieceChars)) {
      out.push(step({ index, type: 'function', function: { arguments: piece } }));
    }
  });
  const required = { submit_tool_outputs: { tool_calls: whole } };
  if (toldWhole && calls.length > 0)
    out.push(event('thread.run.requires_action', { status: 'requires_action', required_action: required }));
  out.push('event: done\ndata: [DONE]\n\n');
  return Buffer.from(out.join(''));
}

describe('a streamed run', () => {
  const runs: Read = { protocol: protocolOf('openai'), operation: 'threads.runs' };

  test('says what it was made of, however it is cut and whether or not it repeats its calls', () => {
    fc.assert(
      fc.property(generatedRun, fc.array(fc.nat(), { maxLength: 20 }), (run, places) => {
        const bytes = streamOf(run);
        const { events, reading } = readChunks(runs, cut(bytes, places));
        expect(reading.defects).toEqual([]);
        expect(reading.complete).toBe(true);
        expect(reading.facts.text).toBe(run.text);
        expect(reading.facts.toolCalls.map((call) => [call.name, call.arguments])).toEqual(
          run.calls.map((call) => [call.name, JSON.parse(JSON.stringify(call.args))]),
        );
        expect(Buffer.concat(events.map((event) => event.raw))).toEqual(bytes);
        const shown = events.filter((event) => event.kind !== 'tool').map((event) => event.raw.toString());
        expect(shown.join('')).not.toContain('tool_calls');
      }),
      { numRuns: 200 },
    );
  });

  test('never lets a call pass unjudged, whatever was changed in it', () => {
    const mutation = fc.record({
      at: fc.nat(),
      remove: fc.nat({ max: 12 }),
      insert: fc.constantFrom('', '"', '}', '\n\n', '{', 'null', '[]', ',', 'event: thread.message.delta\n'),
    });
    fc.assert(
      fc.property(generatedRun, fc.array(mutation, { minLength: 1, maxLength: 4 }), (run, mutations) => {
        let bytes = streamOf(run);
        for (const { at, remove, insert } of mutations) {
          const place = at % (bytes.length + 1);
          bytes = Buffer.concat([
            bytes.subarray(0, place),
            Buffer.from(insert),
            bytes.subarray(place + remove),
          ]);
        }
        const { events, rest, reading } = readChunks(runs, [bytes]);
        expect(Buffer.concat([...events.map((event) => event.raw), rest])).toEqual(bytes);
        const judged = events.some((event) => event.kind === 'tool') || rest.length > 0;
        if (reading.facts.toolCalls.length > 0) expect(judged).toBe(true);
      }),
      { numRuns: 250 },
    );
  });
});
