import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../src/provider/index.ts';
import { amended, asked, readAs } from './lines.ts';
import { typedEvents } from './streams.ts';

const openai = protocolOf('openai');
const body = { model: 'm', system: 'Be brief.', messages: [{ role: 'user', content: 'Pay.' }] };
const call = { type: 'tool_use', id: 'a', name: 'pay', input: { amount: 25000 } };
const whole = JSON.stringify({ type: 'message', content: [call], stop_reason: 'tool_use' });
const streamed = typedEvents(
  { type: 'content_block_start', index: 0, content_block: call },
  { type: 'message_stop' },
);

describe('Anthropic’s messages at a server of OpenAI’s API', () => {
  test.each([
    ['POST', '/v1/messages', 'messages'],
    ['POST', '/v1/messages/count_tokens', 'messages.count_tokens'],
    ['POST', '/v1/threads/t/messages', 'threads.messages'],
    ['GET', '/v1/messages', 'unknown'],
  ])('%s %s is %s', (method, path, operation) => {
    expect(openai.operationOf(method, path)).toBe(operation);
  });

  test('are judged as what they are', () => {
    expect(openai.readsAnswer('messages')).toBe(true);
    expect(asked(openai, 'messages', body)).toMatchObject({
      facts: { text: 'Be brief.\nPay.' },
      defects: [],
    });
    const toolCalls = [{ id: 'a', name: 'pay', arguments: { amount: 25000 } }];
    expect(readAs(null, openai, 'messages', whole).facts).toMatchObject({ toolCalls });
    expect(readAs('sse', openai, 'messages', streamed)).toMatchObject({
      facts: { toolCalls },
      kinds: ['tool', 'end'],
      complete: true,
    });
  });

  test('are amended, kept alive and broken off in their own form', () => {
    const amendment = { toolCalls: [{ id: 'a', arguments: { amount: 9 } }] };
    expect(amended(null, openai, 'messages', whole, amendment)).toContain('"amount":9');
    expect(openai.keepAliveEvent('messages', 'sse', 'm')).toContain('ping');
    expect(openai.errorEvent('messages', 'sse', 'held', 'x')).toContain('event: error');
  });

  test('leave everything else as it was', () => {
    expect(openai.readsAnswer('unknown')).toBe(false);
    expect(openai.keepAliveEvent('chat.completions', 'sse', 'm')).toContain('chat.completion.chunk');
    expect(openai.errorEvent('chat.completions', 'sse', 'held', 'x')).toMatch(/^data: /);
  });
});

describe('Ollama’s own API at a server that is set up for OpenAI’s', () => {
  const line = `${JSON.stringify({ message: { tool_calls: [{ function: { name: 'pay', arguments: {} } }] }, done: true })}\n`;

  test('is judged as what it is', () => {
    expect(openai.operationOf('POST', '/api/chat')).toBe('chat');
    expect(openai.operationOf('POST', '/api/generate')).toBe('generate');
    expect(openai.readsAnswer('chat')).toBe(true);
    expect(readAs('ndjson', openai, 'chat', line)).toMatchObject({
      facts: { toolCalls: [{ name: 'pay' }] },
      kinds: ['tool'],
      complete: true,
    });
  });

  test('lets nothing pass unjudged where another server answers on that route in OpenAI’s form', () => {
    const choices = [{ index: 0, delta: { tool_calls: [{ index: 0, function: { name: 'pay' } }] } }];
    const { kinds, defects } = readAs('sse', openai, 'chat', `data: ${JSON.stringify({ choices })}\n\n`);
    expect(kinds[0]).toBe('tool');
    expect(defects).not.toEqual([]);
    expect(readAs(null, openai, 'chat', JSON.stringify({ choices: [] })).defects).not.toEqual([]);
  });
});
