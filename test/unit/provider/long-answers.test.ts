import { describe, expect, test } from 'vitest';
import type { ProtocolName } from '../../../src/core/protocol-name.ts';
import { protocolOf } from '../../../src/provider/index.ts';
import type { ResponseReading, StreamForm } from '../../../src/provider/protocol.ts';
import { framesOf } from '../../support/transcripts.ts';

/** What takes the square of the length takes 7 to 40 s for one of these, in which no other call goes on. */
const readMsMax = 4_000;

function readIn(family: ProtocolName, operation: string, events: readonly object[]): ResponseReading {
  const bytes = Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
  return readBytes(family, operation, bytes, 'sse');
}

function readBytes(
  family: ProtocolName,
  operation: string,
  bytes: Buffer,
  form: StreamForm,
): ResponseReading {
  const startMs = performance.now();
  const stream = protocolOf(family).openStream(operation, 200, form);
  stream.push(bytes);
  const { reading } = stream.finish();
  expect(performance.now() - startMs).toBeLessThan(readMsMax);
  return reading;
}

const times = <Made>(count: number, make: (at: number) => Made): Made[] =>
  Array.from({ length: count }, (_, at) => make(at));

describe('an answer is read in a time that grows with its length alone, also with', () => {
  test('very many calls in one part of a Gemini stream', () => {
    const parts = times(4_000, (at) => ({ functionCall: { name: 'pay', args: { at } } }));
    const { facts } = readIn('gemini', 'stream_generate_content', [{ candidates: [{ content: { parts } }] }]);
    expect(facts.toolCalls).toHaveLength(1_000);
  });

  test('a Gemini call whose arguments come in very many pieces', () => {
    const eventOf = (functionCall: object) => ({ candidates: [{ content: { parts: [{ functionCall }] } }] });
    const piece = (at: number) =>
      eventOf({ partialArgs: [{ jsonPath: `$.k${at}`, numberValue: at }], willContinue: true });
    const begun = eventOf({ name: 'pay', willContinue: true });
    const events = [begun, ...times(8_000, piece), eventOf({})];
    const { facts } = readIn('gemini', 'stream_generate_content', events);
    expect(Object.keys(Object(facts.toolCalls[0]?.arguments))).toHaveLength(8_000);
  });

  test('very many choices with calls in one chunk of a chat', () => {
    const calls = times(1_000, (index) => ({
      index,
      id: `c${index}`,
      function: { name: 'pay', arguments: '' },
    }));
    const choices = times(128, (index) => ({ index, delta: { tool_calls: calls } }));
    expect(readIn('openai', 'chat.completions', [{ choices }]).facts.toolCalls).toHaveLength(1_000);
  });

  test('very many events with words beside a call', () => {
    const text = times(16_000, (at) => `Paying invoice ${at} of those that are open.`);
    const eventOf = (response: string) => ({ response, tool_calls: [{ name: 'pay', arguments: {} }] });
    const reading = readIn('openai', 'hosted.model', text.map(eventOf));
    expect(reading.facts.text).toContain('invoice 15999 of');
  });

  test('very many parts told beside a long text', () => {
    const said = { type: 'output_text', text: 'All of them are paid. '.repeat(100_000) };
    const item = { type: 'message', id: 'm', role: 'assistant', content: [said] };
    const part = (at: number) => ({
      ...{ type: 'response.content_part.added', item_id: 'm', output_index: 0, content_index: 0 },
      part: { type: 'output_text', text: `invoice ${at}` },
    });
    const done = { type: 'response.output_item.done', output_index: 0, item };
    const reading = readIn('openai', 'responses', [...times(20_000, part), done]);
    expect(reading.facts.text).toContain('invoice 19999');
  });

  test('a text of a Bedrock model in very many frames', () => {
    const lines = times(32_000, (at) => JSON.stringify(['chunk', { generation: ` word ${at}` }]));
    const frames = framesOf(Buffer.from(lines.join('\n')));
    const { facts } = readBytes('bedrock', 'invoke', frames, 'aws-eventstream');
    expect(facts.text).toContain(' word 31999');
  });
});
