/**
 * What comes over a WebSocket, one message a line: `<` before one of the provider's, `>` before one of the
 * workload's. No message is lost on the way to the rules, and no call passes beside them.
 */
import { decodeSocketBody, encodeSocketBody } from '../../../src/provider/realtime/body.ts';
import { socketDialectAt } from '../../../src/provider/realtime/dialects.ts';
import { readSocketAnswer, readSocketRequest } from '../../../src/provider/realtime/understood.ts';
import { must, type Target, unless } from '../target.ts';

const bounds = { inputBytesMax: 32_768, usPerByteMax: 20 };

const scripts: Readonly<Record<string, readonly string[]>> = {
  '/v1/realtime': [
    '>{"type":"session.update","session":{"instructions":"be brief","tools":[{"type":"function","name":"transfer_funds","description":"d"}]}}',
    '>{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"pay"}]}}',
    '>{"type":"response.create","response":{"instructions":"now"}}',
    '<{"type":"response.created","response":{"id":"r1","status":"in_progress","output":[]}}',
    '<{"type":"response.output_item.added","response_id":"r1","output_index":0,"item":{"id":"i1","type":"function_call","call_id":"c1","name":"transfer_funds","arguments":""}}',
    '<{"type":"response.function_call_arguments.delta","response_id":"r1","item_id":"i1","output_index":0,"call_id":"c1","delta":"{\\"amount\\":1}"}',
    '<{"type":"response.function_call_arguments.done","response_id":"r1","item_id":"i1","output_index":0,"call_id":"c1","arguments":"{\\"amount\\":1}"}',
    '<{"type":"response.output_item.done","response_id":"r1","output_index":0,"item":{"id":"i1","type":"function_call","call_id":"c1","name":"transfer_funds","arguments":"{\\"amount\\":1}"}}',
    '<{"type":"response.done","response":{"id":"r1","status":"completed","output":[{"id":"i1","type":"function_call","call_id":"c1","name":"transfer_funds","arguments":"{\\"amount\\":1}"}]}}',
  ],
  '/v1/responses': [
    '>{"type":"response.create","model":"m","input":"hello"}',
    '<{"type":"response.created","response":{"id":"r1","output":[]}}',
    '<{"type":"response.output_item.done","output_index":0,"item":{"id":"i1","type":"function_call","call_id":"c1","name":"transfer_funds","arguments":"{}"}}',
    '<{"type":"response.completed","response":{"id":"r1","output":[{"id":"i1","type":"function_call","call_id":"c1","name":"transfer_funds","arguments":"{}"}]}}',
  ],
  '/ws/x.GenerativeService.BidiGenerateContent': [
    '>{"setup":{"model":"models/m","systemInstruction":{"parts":[{"text":"be brief"}]},"tools":[{"functionDeclarations":[{"name":"transfer_funds"}]}]}}',
    '>{"clientContent":{"turns":[{"role":"user","parts":[{"text":"pay"}]}],"turnComplete":true}}',
    '<{"setupComplete":{}}',
    '<{"serverContent":{"modelTurn":{"parts":[{"text":"x"}]}}}',
    '<{"toolCall":{"functionCalls":[{"id":"c1","name":"transfer_funds","args":{"amount":1}}]}}',
    '>{"toolResponse":{"functionResponses":[{"id":"c1","name":"transfer_funds","response":{}}]}}',
    '<{"serverContent":{"turnComplete":true},"usageMetadata":{"totalTokenCount":3}}',
  ],
};

type Json = Readonly<Record<string, unknown>>;
const record = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** What a lenient client would carry out on this message alone. */
function calledIn(path: string, text: string): readonly string[] {
  const message = record(
    unless(
      (error) => error instanceof SyntaxError,
      () => JSON.parse(text),
    ),
  );
  // Clients of OpenAI's dispatch by type, and look for an item or a response in events that say they have one.
  const type = typeof message['type'] === 'string' ? message['type'] : '';
  const items = [
    ...(/^(response\.output_item|conversation\.item)\./.test(type) ? [message['item']] : []),
    ...(/^response\.[a-z]+$/.test(type) ? list(record(message['response'])['output']) : []),
  ];
  const calls = path.startsWith('/ws/')
    ? list(record(message['toolCall'])['functionCalls'])
    : items.filter((item) => record(item)['type'] === 'function_call');
  return calls.map((call) => record(call)['name']).filter((name) => typeof name === 'string');
}

function sessionTarget(path: string, script: readonly string[], name: string): Target {
  return {
    ...bounds,
    name: `realtime-${name}`,
    seeds: () => [Buffer.from(script.join('\n')), ...script.map((line) => Buffer.from(line))],
    run(input) {
      const reader = socketDialectAt(path)?.open(`${path}?model=m`);
      must(reader !== undefined, 'no dialect is spoken there');
      for (const line of input.toString('latin1').split('\n')) {
        const data = Buffer.from(line.slice(1), 'latin1');
        const message = { data, binary: false };
        if (line.startsWith('>')) {
          const { kind, facts, defects, accept } = reader.readClient(message);
          must(['media', 'content', 'ask'].includes(kind), 'a message is of no kind');
          must(typeof facts.text === 'string', 'what was told is no text');
          if (defects.length > 0)
            must(reader.refusal(message, 'denied_by_policy', 'no') !== undefined, 'nothing says no');
          else accept();
          if (kind === 'ask') reader.asked(facts);
          continue;
        }
        const { kind, answer, ends } = reader.readServer(message);
        const called = calledIn(path, data.toString('utf8'));
        if (called.length > 0) {
          must(kind === 'tool' && answer !== null, 'a call passes beside the rules', () =>
            JSON.stringify(called),
          );
          const { facts, defects } = reader.reading(answer);
          const names = facts.toolCalls.map((call) => call.name);
          const seen = called.every((one) => names.includes(one));
          must(seen || defects.length > 0 || !ends, 'a call is not seen', () =>
            JSON.stringify({ called, names }),
          );
        }
        if (answer === null || !ends) continue;
        must(Array.isArray(reader.reading(answer).defects), 'an answer says nothing');
        must(reader.denial(answer, 'denied_by_policy', 'no').length > 0, 'nothing says no');
        reader.settle(answer, true);
      }
    },
  };
}

const body: Target = {
  ...bounds,
  name: 'realtime-body',
  seeds: () => [
    encodeSocketBody(
      { facts: { text: 'a', toolCalls: [{ id: 'c', name: 'n', arguments: {} }] }, defects: ['d'] },
      [
        {
          atMs: 1,
          sender: 'server',
          opcode: 'text',
          way: 'withheld',
          bytes: 2,
          data: Buffer.from('{}'),
          sha256: '',
        },
        {
          atMs: 2,
          sender: 'client',
          opcode: 'close:1000',
          way: 'passed',
          bytes: 9,
          data: null,
          sha256: 'ab'.repeat(32),
        },
      ],
    ),
  ],
  run(input) {
    must(Array.isArray(readSocketRequest(input).defects), 'a sealed request is not read');
    must(Array.isArray(readSocketAnswer(input).defects), 'a sealed answer is not read');
    const decoded = unless(
      (error) => error instanceof RangeError,
      () => decodeSocketBody(input),
    );
    if (decoded === null) return;
    const again = decodeSocketBody(encodeSocketBody(decoded.understood, decoded.records));
    must(again.records.length === decoded.records.length, 'messages are lost');
  },
};

export const targets: readonly Target[] = [
  ...Object.entries(scripts).map(([path, script]) =>
    sessionTarget(path, script, path.startsWith('/ws/') ? 'gemini' : (path.split('/').at(-1) ?? '')),
  ),
  body,
];
