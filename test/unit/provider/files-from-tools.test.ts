/** Text files within what a tool gave back: a model reads them like those within a message. */
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../src/provider/index.ts';
import { geminiLive } from '../../../src/provider/realtime/gemini.ts';
import { headOf } from './streams.ts';

const data = Buffer.from('a secret').toString('base64');
const openai = protocolOf('openai');
const gemini = protocolOf('gemini');
const anthropic = protocolOf('anthropic');
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

// https://platform.openai.com/docs/guides/function-calling: an output may be a list of texts, pictures and files.
describe('an output of a response says', () => {
  const said = (type: string, part: object) =>
    openai.readRequest(
      'responses',
      bytes({
        model: 'm',
        input: [{ type, call_id: 'c', output: [{ type: 'input_text', text: 'Hi' }, part] }],
      }),
      headOf('/v1/responses'),
    ).facts.text;

  test.each(['function_call_output', 'custom_tool_call_output'])('the words of a file in a %s', (type) => {
    const file = { type: 'input_file', filename: 'a.txt', file_data: `data:text/plain;base64,${data}` };
    expect(said(type, file)).toBe('Hi\na.txt\na secret');
  });

  test('every word of a part that is no file', () => {
    expect(said('shell_call_output', { stdout: 'one', stderr: 'two' })).toBe('Hi\none\ntwo');
  });
});

// https://ai.google.dev/gemini-api/docs/function-calling#multimodal
describe('a function response of Gemini says the words of a file', () => {
  test.each([
    ['inlineData', 'mimeType'],
    ['inline_data', 'mime_type'],
  ])('in %s', (member, typeMember) => {
    const parts = [{ [member]: { [typeMember]: 'text/plain', data } }];
    const content = { parts: [{ functionResponse: { name: 'f', response: { n: 'Hi' }, parts } }] };
    const { facts } = gemini.readRequest(
      'generate_content',
      bytes({ contents: [content] }),
      headOf('/v1beta/models/m:generateContent'),
    );
    expect(facts.text).toBe('f\nHi\na secret');
  });

  test('in a live session', () => {
    const parts = [{ inlineData: { mimeType: 'text/plain', data } }];
    const functionResponses = [{ id: '1', name: 'f', response: { n: 'Hi' }, parts }];
    const message = { data: bytes({ toolResponse: { functionResponses } }), binary: false };
    expect(geminiLive.open('/').readClient(message)?.facts.text).toBe('1\nf\nHi\na secret');
  });
});

test('a function response of Gemini that is no object says its words', () => {
  const body = { contents: [{ parts: [{ functionResponse: 'a secret' }] }] };
  const { facts } = gemini.readRequest('generate_content', bytes(body), headOf('/'));
  expect(facts.text).toBe('a secret');
});

// Gateways hand such a document on to models of others, which take it.
describe('a result of a tool of Anthropic’s says', () => {
  const said = (media_type: string) => {
    const document = { type: 'document', title: 'Deed', source: { type: 'base64', media_type, data } };
    const result = { type: 'tool_result', tool_use_id: 't', content: [document] };
    const body = { model: 'm', messages: [{ role: 'user', content: [result] }] };
    return anthropic.readRequest('messages', bytes(body), headOf('/v1/messages')).facts.text;
  };

  test('the words of a document that is a text', () => {
    expect(said('text/plain')).toBe('Deed\na secret');
  });

  test('nothing of what another document holds', () => {
    expect(said('application/pdf')).toBe('Deed');
  });
});
