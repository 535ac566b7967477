import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { headOf } from '../streams.ts';

const openai = protocolOf('openai');
const textOf = (operation: string, body: unknown) =>
  openai.readRequest(operation, Buffer.from(JSON.stringify(body)), headOf('/')).facts.text;
const chat = (message: unknown) => textOf('chat.completions', { model: 'm', messages: [message] });
const response = (item: unknown) => textOf('responses', { model: 'm', input: [item] });

// What a model is given beside the words that a request is about: https://docs.vllm.ai, https://openrouter.ai/docs.
describe('a message of a chat says', () => {
  test.each([
    ['a refusal', { type: 'refusal', refusal: 'a secret', text: '' }],
    ['a thought', { type: 'thinking', thinking: 'a secret', text: '' }],
  ])('the words of %s, also where its part has an empty text', (_what, part) => {
    expect(chat({ role: 'user', content: [part] })).toBe('a secret');
    expect(response({ role: 'user', content: [part] })).toBe('a secret');
  });

  test.each([
    ['of a kind', { type: 'output_text', text: 'Hi', annotations: [{ title: 'A page' }] }],
    ['of none', { text: 'Hi', id: 'a' }],
  ])('the text alone of a part %s that is text', (_what, part) => {
    expect(chat({ role: 'user', content: [part] })).toBe('Hi');
    expect(response({ role: 'user', content: [part] })).toBe('Hi');
  });

  test('the text of a picture, and nothing of where it is', () => {
    const part = { type: 'image_url', image_url: { url: 'https://example.com/a' }, text: 'a cat' };
    expect(chat({ role: 'user', content: [part] })).toBe('a cat');
  });

  test.each([
    ['reasoning_details', [{ type: 'reasoning.text', text: 'a secret', signature: 's', id: 'i' }]],
    ['reasoning_details', [{ type: 'reasoning.summary', summary: 'a secret', format: 'f' }]],
    ['thinking_blocks', [{ type: 'thinking', thinking: 'a secret', signature: 's' }]],
  ])('what was thought in its %s', (name, thoughts) => {
    expect(chat({ role: 'assistant', content: 'Hi', [name]: thoughts })).toBe('Hi\na secret');
  });

  test('once what was thought in two places, and nothing that is sealed', () => {
    const details = [null, { text: 'a secret' }, { type: 'reasoning.encrypted', data: 'c2VhbGVk' }];
    const message = { role: 'assistant', content: 'Hi', reasoning: 'a secret', reasoning_details: details };
    expect(chat(message)).toBe('Hi\na secret');
  });

  test('in pieces what was thought beside them as a whole, only where it is another', () => {
    const told = (thoughts: readonly string[]): string =>
      chat({
        role: 'assistant',
        reasoning: 'one two',
        reasoning_details: thoughts.map((text) => ({ text })),
      });
    expect(told(['one ', 'two'])).toBe('one two');
    expect(told(['one ', 'three'])).toBe('one two\none \nthree');
  });

  test('thoughts in very many pieces without looking for each in a long one', () => {
    const details = Array.from({ length: 20_000 }, (_, at) => ({ text: `b${at}` }));
    const startMs = performance.now();
    chat({ role: 'assistant', reasoning: 'a'.repeat(8_000_000), reasoning_details: details });
    expect(performance.now() - startMs).toBeLessThan(2_000);
  });

  test('who speaks, unless that is a tool', () => {
    expect(chat({ role: 'user', name: 'ada', content: 'Hi' })).toBe('ada\nHi');
    expect(chat({ role: 'tool', name: 'pay', content: 'paid' })).toBe('paid');
    expect(chat({ role: 'function', name: 'pay', content: 'paid' })).toBe('paid');
  });
});

// https://platform.openai.com/docs/guides/file-inputs
describe('a file within a message says', () => {
  const data = Buffer.from('a secret').toString('base64');
  const said = (file: {
    readonly filename?: string;
    readonly file_data?: string;
    readonly file_id?: string;
    readonly file_url?: string;
  }) => [
    chat({ role: 'user', content: [{ type: 'file', file }] }),
    response({ role: 'user', content: [{ type: 'input_file', ...file }] }),
  ];

  test.each([
    ['its type', { file_data: `data:text/plain;base64,${data}` }],
    ['its type, with a character set', { file_data: `data:text/csv;charset=utf-8;base64,${data}` }],
    ['its type, where it is of an application', { file_data: `data:application/json;base64,${data}` }],
  ])('its words, as %s has it', (_what, file) => {
    expect(said(file)).toEqual(['a secret', 'a secret']);
  });

  test('its words, as its name has it', () => {
    expect(said({ filename: 'a.md', file_data: data })).toEqual(['a.md\na secret', 'a.md\na secret']);
  });

  test.each([
    ['of another type', { filename: 'a.txt', file_data: `data:application/pdf;base64,${data}` }, 'a.txt'],
    ['of another name', { filename: 'a.PDF', file_data: data }, 'a.PDF'],
    ['of neither', { file_data: data }, ''],
    ['kept elsewhere', { file_id: 'file-1' }, ''],
    ['at an address', { file_url: 'https://example.com/a' }, 'https://example.com/a'],
  ])('nothing but its name or place, %s', (_what, file, name) => {
    expect(said(file)).toEqual([name, name]);
  });
});

describe('a thought of an earlier response says', () => {
  test.each([
    ['its content', { content: [{ type: 'reasoning_text', text: 'a secret' }] }],
    ['its summary', { summary: [{ type: 'summary_text', text: 'a secret' }] }],
    // https://github.com/ollama/ollama/blob/main/openai/responses.go
    ['what Ollama has in the place of what is sealed', { summary: [], encrypted_content: 'a secret' }],
  ])('%s', (_what, members) => {
    expect(response({ type: 'reasoning', id: 'rs_1', ...members })).toBe('a secret');
  });

  test('nothing of what is sealed', () => {
    expect(response({ type: 'reasoning', encrypted_content: 'gAAAAABo-_x+/Q==' })).toBe('');
  });
});
