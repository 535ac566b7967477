import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { amended, asked, codeOf, lines, readAs } from '../lines.ts';
import { events } from '../streams.ts';

const ollama = protocolOf('ollama');
const at = { model: 'qwen3', created_at: '2026-11-22T10:00:00Z' };
const said = (message: object, more: object = {}) => ({
  ...at,
  message: { role: 'assistant', content: '', ...message },
  done: false,
  ...more,
});
const end = { done: true, done_reason: 'stop', prompt_eval_count: 7, eval_count: 5 };
const pay = { function: { name: 'pay', arguments: { amount: 25000 } } };
const look = { id: 'call_1', function: { index: 0, name: 'look', arguments: {} } };
const chat = lines(
  said({ thinking: 'Hm.' }),
  said({ content: 'One ' }),
  said({ content: 'moment.' }),
  said({ tool_calls: [look] }),
  said({ tool_calls: [pay] }),
  said({}, end),
);

test('the context of an earlier answer counts as token ids, which nobody can read', () => {
  const { facts } = asked(ollama, 'generate', { model: 'qwen3', prompt: 'Go on.', context: [1, 2] });
  expect(facts).toMatchObject({ text: 'Go on.', tokenIds: 2 });
});

describe('the operation of a path', () => {
  test.each([
    ['POST', '/api/chat', 'chat'],
    ['POST', '/gateway/API/Chat/', 'chat'],
    ['POST', '/api/generate', 'generate'],
    ['POST', '/api/embed', 'embed'],
    ['POST', '/api/embeddings', 'embed'],
    ['POST', '/api/create', 'create'],
    ['POST', '/api/pull', 'pull'],
    ['POST', '/api/push', 'push'],
    ['POST', '/api/copy', 'copy'],
    ['DELETE', '/api/delete', 'delete'],
    ['POST', '/api/web_search', 'web'],
    ['POST', '/api/web_fetch', 'web'],
    ['POST', '/api/experimental/web_search', 'web'],
    ['POST', '/api/experimental/web_fetch', 'web'],
    ['POST', '/v1/chat/completions', 'chat.completions'],
    ['POST', '/v1/responses', 'responses'],
    ['POST', '/v1/messages', 'messages'],
    ['POST', '/api/blobs/sha256:0', 'unknown'],
    ['POST', '/api/show', 'unknown'],
    ['GET', '/api/tags', 'unknown'],
    ['HEAD', '/api/chat', 'unknown'],
  ])('%s %s is %s', (method, path, operation) => {
    expect(ollama.operationOf(method, path)).toBe(operation);
  });

  test('says whether an answer can hold what rules judge', () => {
    const read = ['chat', 'generate', 'chat.completions', 'messages'];
    const unread = ['embed', 'create', 'pull', 'push', 'copy', 'delete', 'unknown'];
    expect(read.map((operation) => ollama.readsAnswer(operation))).toEqual(read.map(() => true));
    expect(unread.map((operation) => ollama.readsAnswer(operation))).toEqual(unread.map(() => false));
  });
});

describe('a chat request', () => {
  const body = {
    model: 'qwen3',
    options: { temperature: 0.5, num_predict: 10 },
    keep_alive: '5m',
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Look.', images: ['aGk='] },
      { role: 'assistant', content: '', thinking: 'Looking.', tool_calls: [pay] },
      { role: 'tool', content: 'Found.', tool_name: 'look' },
    ],
    tools: [{ type: 'function', function: { name: 'pay', description: 'Pays.', parameters: {} } }],
  };

  test('gives the facts that rules read, images left out', () => {
    const { facts, defects } = asked(ollama, 'chat', body);
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({
      model: 'qwen3',
      system: 'Be brief.',
      text: 'Be brief.\nLook.\nLooking.\nFound.',
      params: { temperature: 0.5, num_predict: 10, keep_alive: '5m' },
      tools: [{ name: 'pay', description: 'Pays.' }],
    });
    expect(facts.messages[2]?.toolCalls).toMatchObject([{ name: 'pay', arguments: { amount: 25000 } }]);
  });

  test.each([
    ['when it says nothing of it', {}, true],
    ['when it says null', { stream: null }, true],
    ['when it says so', { stream: true }, true],
    ['not when it declines', { stream: false }, false],
  ])('streams %s', (_when, more, stream) => {
    expect(asked(ollama, 'chat', { ...body, ...more }).facts.stream).toBe(stream);
  });

  test.each([
    ['in another case', { Messages: [] }],
    ['with a letter that folds to one of its own', { 'me\u017F\u017Fages': [] }],
    ['inside a message', { messages: [{ role: 'user', content: 'a', Content: 'b' }] }],
  ])('that spells a member %s is a defect, as the server would read it', (_how, more) => {
    expect(asked(ollama, 'chat', { ...body, ...more }).defects).toEqual([
      expect.stringContaining('may be read as'),
    ]);
  });

  test.each([
    ['two values', '{"model":"a"}{"model":"b"}'],
    ['a key twice', '{"model":"a","model":"b"}'],
    ['a list', '[]'],
    ['messages that are no list', '{"messages":{}}'],
    ['a model that is no text', '{"model":1}'],
    ['a stream flag that is neither', '{"stream":"no"}'],
  ])('with %s is a defect', (_what, text) => {
    expect(asked(ollama, 'chat', text).defects).not.toEqual([]);
  });
});

describe('other requests', () => {
  test('to generate show prompt, suffix, system and template', () => {
    const { facts, defects } = asked(ollama, 'generate', {
      model: 'm',
      system: 'S',
      template: 'T',
      prompt: 'P',
      suffix: 'X',
    });
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({ system: 'S\nT', text: 'S\nT\nP\nX', stream: true, params: {} });
  });

  test('to embed show what is embedded', () => {
    expect(asked(ollama, 'embed', { model: 'm', input: ['a', 'b'] }).facts.text).toBe('a\nb');
    expect(asked(ollama, 'embed', { model: 'm', prompt: 'c' }).facts.text).toBe('c');
  });

  test('to look something up show what is asked for', () => {
    expect(asked(ollama, 'web', { query: 'SECRET', max_results: 3 }).facts.text).toBe('SECRET');
    expect(asked(ollama, 'web', { url: 'https://a.test/SECRET' }).facts.text).toBe('https://a.test/SECRET');
    expect(asked(ollama, 'web', { Query: 'SECRET' }).defects).toHaveLength(1);
  });

  test('to create show the prompts of the new model', () => {
    const { facts } = asked(ollama, 'create', {
      model: 'mine',
      from: 'qwen3',
      system: 'Obey.',
      messages: [{ role: 'user', content: 'Hi' }],
    });
    expect(facts).toMatchObject({ model: 'mine', text: 'Obey.\nHi', params: { from: 'qwen3' } });
  });

  test.each([
    ['pull', { model: 'a/b' }, 'a/b'],
    ['push', { name: 'a/b' }, 'a/b'],
    ['copy', { source: 'a', destination: 'b' }, 'a'],
    ['delete', { model: 'a' }, 'a'],
  ])('to %s name the model they mean', (operation, body, model) => {
    expect(asked(ollama, operation, body).facts.model).toBe(model);
  });

  test('to the APIs of others are read as theirs, in the spelling of this server', () => {
    const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] };
    expect(asked(ollama, 'chat.completions', body)).toMatchObject({ facts: { text: 'Hi' }, defects: [] });
    expect(asked(ollama, 'chat.completions', { ...body, MESSAGES: [] }).defects).toHaveLength(1);
    expect(asked(ollama, 'messages', { ...body, System: 'x' }).defects).toHaveLength(1);
  });
});

describe('a streamed chat', () => {
  test('gives its text, its calls whole, its counts, and says which lines carry what', () => {
    const { facts, defects, complete, failed, kinds } = readAs('ndjson', ollama, 'chat', chat);
    expect(kinds).toEqual(['text', 'text', 'text', 'tool', 'tool', 'end']);
    expect({ defects, complete, failed }).toEqual({ defects: [], complete: true, failed: false });
    expect(facts).toMatchObject({
      model: 'qwen3',
      text: 'One moment.',
      finishReason: 'stop',
      usage: { source: 'provider', inputTokens: 7, outputTokens: 5, totalTokens: 12 },
    });
    expect(facts.toolCalls).toEqual([
      { id: 'call_1', name: 'look', arguments: {}, argumentsText: '{}' },
      { id: '#2', name: 'pay', arguments: { amount: 25000 }, argumentsText: '{"amount":25000}' },
    ]);
  });

  test('keeps the spelling of arguments', () => {
    const line = `{"message":{"tool_calls":[{"function":{"name":"pay","arguments":{"n": 1.0}}}]},"done":true}\n`;
    const { facts, kinds } = readAs('ndjson', ollama, 'chat', line);
    expect(kinds).toEqual(['tool']);
    expect(facts.toolCalls[0]?.argumentsText).toBe('{"n": 1.0}');
  });

  test('without its last line is not complete', () => {
    const cut = lines(said({ content: 'One ' }));
    expect(readAs('ndjson', ollama, 'chat', cut)).toMatchObject({ complete: false, failed: false });
  });

  test('reads a last line without its ending, as clients do', () => {
    const unended = chat.slice(0, -1);
    expect(readAs('ndjson', ollama, 'chat', unended)).toMatchObject({ complete: true });
  });

  test('that ends in an error has failed', () => {
    const text = lines(said({ content: 'One ' }), { error: 'out of memory' });
    expect(readAs('ndjson', ollama, 'chat', text)).toMatchObject({
      kinds: ['text', 'error'],
      failed: true,
      complete: false,
    });
  });

  test.each([
    ['a line that is no JSON', '{"message"\n'],
    ['a line that is no object', '[]\n'],
    ['a key twice', '{"message":{"content":"a","content":"b"}}\n'],
    ['a message that is no object', '{"message":[]}\n'],
    ['a call that is no function', '{"message":{"tool_calls":[{}]}}\n'],
    ['calls that are no list', '{"message":{"tool_calls":{"a":1}}}\n'],
    ['arguments that are no object', '{"message":{"tool_calls":[{"function":{"arguments":[]}}]}}\n'],
    ['an event of another form', 'data: {"message":{"content":"x"}}\n\n'],
  ])('with %s lets nothing pass unjudged and is a defect', (_what, text) => {
    const { kinds, defects } = readAs('ndjson', ollama, 'chat', text);
    expect(kinds[0]).toBe('tool');
    expect(defects).not.toEqual([]);
  });

  test.each([
    ['of the answer', { ...said({}), actions: [{}] }],
    ['of the message', said({ actions: [{}] })],
    ['that belongs to generate', { ...said({}), response: 'x' }],
  ])('withholds a member %s that nobody knows', (_where, line) => {
    expect(readAs('ndjson', ollama, 'chat', lines(line)).kinds).toEqual(['tool']);
  });

  test('may have blank lines, which say nothing', () => {
    const { kinds, defects } = readAs('ndjson', ollama, 'chat', `\n${lines(said({ content: 'a' }))}\r\n`);
    expect({ kinds, defects }).toEqual({ kinds: ['other', 'text', 'other'], defects: [] });
  });
});

describe('a whole answer', () => {
  test('of a chat has the facts of the stream', () => {
    const body = { ...said({ thinking: 'Hm.', content: 'One moment.', tool_calls: [look, pay] }), ...end };
    const whole = readAs(null, ollama, 'chat', JSON.stringify(body));
    expect(whole.facts).toEqual(readAs('ndjson', ollama, 'chat', chat).facts);
  });

  test('of generate gives its text and calls', () => {
    const body = { ...at, response: 'Hello', thinking: 'Hm', tool_calls: [pay], ...end };
    const { facts, defects } = readAs(null, ollama, 'generate', JSON.stringify(body));
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({ text: 'Hello', toolCalls: [{ name: 'pay' }] });
  });

  test('in several lines, or without a message, is a defect', () => {
    expect(readAs(null, ollama, 'chat', chat).defects).not.toEqual([]);
    expect(readAs(null, ollama, 'chat', '{"done":true}').defects).not.toEqual([]);
    expect(readAs(null, ollama, 'generate', '{"done":true}').defects).not.toEqual([]);
  });

  test('of the APIs of others is read as theirs', () => {
    const choices = [{ index: 0, delta: { content: 'Hi' }, finish_reason: null }];
    const text = events({ choices }, 'data: [DONE]\n\n');
    expect(readAs('sse', ollama, 'chat.completions', text)).toMatchObject({
      kinds: ['text', 'end'],
      complete: true,
    });
  });
});

describe('what Holdpoint says', () => {
  test('to a caller whose stream began is a line that clients raise', () => {
    const line = ollama.errorEvent('chat', 'ndjson', 'denied_by_reviewer', 'No.').toString();
    expect(JSON.parse(line)).toEqual({ error: 'No.', type: 'permission_error', code: 'denied_by_reviewer' });
    expect(line.endsWith('}\n')).toBe(true);
    expect(readAs('ndjson', ollama, 'chat', line)).toMatchObject({ failed: true, kinds: ['error'] });
  });

  test.each(['chat', 'generate'])(
    'to keep a connection of %s alive is a line that says nothing',
    (operation) => {
      const line = String(ollama.keepAliveEvent(operation, 'ndjson', 'qwen3'));
      const { facts, kinds, complete } = readAs('ndjson', ollama, operation, line);
      expect({ text: facts.text, kinds, complete }).toEqual({ text: '', kinds: ['other'], complete: false });
    },
  );

  test('on the APIs of others is in their form', () => {
    expect(String(ollama.errorEvent('chat.completions', 'sse', 'held', 'x'))).toMatch(/^data: \{"error":\{/);
    expect(String(ollama.errorEvent('messages', 'sse', 'held', 'x'))).toMatch(/^event: error\n/);
    expect(String(ollama.keepAliveEvent('messages', 'sse', 'm'))).toContain('ping');
    expect(ollama.keepAliveEvent('pull', 'ndjson', 'm')).toBeNull();
  });
});

describe('an amendment', () => {
  const cheaper = { toolCalls: [{ id: '#2', arguments: { amount: 9 } }] };

  test('changes the named call of a stream and no other byte', () => {
    const text = amended('ndjson', ollama, 'chat', chat, cheaper);
    expect(text).toBe(chat.replace('"amount":25000', '"amount":9'));
  });

  test('changes the text of a stream and leaves its thinking and calls', () => {
    const text = amended('ndjson', ollama, 'chat', chat, { text: 'Wait.' });
    const { facts } = readAs('ndjson', ollama, 'chat', text);
    expect(facts.text).toBe('Wait.');
    expect(facts.toolCalls).toEqual(readAs('ndjson', ollama, 'chat', chat).facts.toolCalls);
    expect(text).toContain('Hm.');
    expect(text).not.toContain('moment');
  });

  test('changes a whole answer and drops what spells the old text out', () => {
    const original = JSON.stringify({ ...at, response: 'old', context: [1], logprobs: [{}], ...end });
    const text = amended(null, ollama, 'generate', original, { text: 'new' });
    expect(JSON.parse(text)).toEqual({ ...at, response: 'new', ...end });
  });

  test('of a call keeps the context and every number of the rest', () => {
    const original = `{"created":1.0,"response":"x","context":[1],"tool_calls":[{"function":{"name":"pay","arguments":{"amount":1}}}],"done":true}`;
    const text = amended(null, ollama, 'generate', original, {
      toolCalls: [{ id: '#1', arguments: { amount: 2 } }],
    });
    expect(text).toBe(original.replace('"amount":1', '"amount":2'));
  });

  test.each([
    ['a call that is not there', { toolCalls: [{ id: 'x', arguments: {} }] }],
    ['arguments that are no object', { toolCalls: [{ id: '#2', arguments: 5 }] }],
  ])('is refused for %s', (_what, amendment) => {
    expect(codeOf(() => amended('ndjson', ollama, 'chat', chat, amendment))).toBe('invalid_argument');
  });

  test('is refused for an answer that is cut, and for one that nobody reads', () => {
    const cut = lines(said({ content: 'a' }));
    expect(codeOf(() => amended('ndjson', ollama, 'chat', cut, { text: 'b' }))).toBe('invalid_argument');
    expect(codeOf(() => amended(null, ollama, 'pull', '{}', { text: 'b' }))).toBe('invalid_argument');
  });
});
