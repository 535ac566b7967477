/**
 * Gemini Code Assist, as the Gemini CLI speaks to it: https://github.com/google-gemini/gemini-cli, converter.ts and server.ts
 * under packages/core/src/code_assist. The words are ours.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { amended, asked, readAs } from '../lines.ts';
import { events } from '../streams.ts';

const gemini = protocolOf('gemini');
const path = '/v1internal:streamGenerateContent';
const call = { name: 'run_shell_command', args: { command: 'rm -r notes' } };
const candidates = [{ content: { role: 'model', parts: [{ functionCall: call }] }, finishReason: 'STOP' }];
const usageMetadata = { promptTokenCount: 3, candidatesTokenCount: 5, totalTokenCount: 8 };
const wrapped = { response: { candidates, usageMetadata, modelVersion: 'gemini-3-pro' }, traceId: 't' };
const toolCalls = [{ name: 'run_shell_command', arguments: { command: 'rm -r notes' } }];

describe('a request that Code Assist wraps', () => {
  test('is read with its model, words and tools', () => {
    const request = {
      contents: [{ role: 'user', parts: [{ text: 'Tidy up.' }] }],
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      tools: [{ functionDeclarations: [{ name: 'run_shell_command' }] }],
    };
    const body = { model: 'gemini-3-pro', project: 'p', user_prompt_id: 'u', request };
    expect(gemini.operationOf('POST', path)).toBe('stream_generate_content');
    expect(asked(gemini, 'stream_generate_content', body, path)).toMatchObject({
      facts: {
        model: 'gemini-3-pro',
        system: 'Be brief.',
        text: 'Be brief.\nTidy up.',
        tools: [{ name: 'run_shell_command' }],
      },
      defects: [],
    });
  });

  test('names its model within where it counts tokens', () => {
    const body = { request: { model: 'models/gemini-3-pro', contents: [{ parts: [{ text: 'Hello.' }] }] } };
    expect(asked(gemini, 'count_tokens', body, '/v1internal:countTokens').facts).toMatchObject({
      model: 'gemini-3-pro',
      text: 'Hello.',
    });
  });

  test('is a defect where it names two models', () => {
    const body = { model: 'gemini-3-pro', request: { model: 'models/other', contents: [] } };
    expect(asked(gemini, 'count_tokens', body, '/v1internal:countTokens').defects).toEqual([
      'two models are named',
    ]);
  });
});

describe('an answer that Code Assist wraps', () => {
  test('has calls that rules see', () => {
    expect(readAs(null, gemini, 'generate_content', JSON.stringify(wrapped))).toMatchObject({
      facts: { toolCalls, finishReason: 'STOP', model: 'gemini-3-pro', usage: { totalTokens: 8 } },
      defects: [],
    });
  });

  test.each([
    ['sse', events(wrapped)],
    ['json-array', JSON.stringify([wrapped])],
  ] as const)('has calls that rules see, streamed as %s', (form, bytes) => {
    expect(readAs(form, gemini, 'stream_generate_content', bytes)).toMatchObject({
      facts: { toolCalls },
      defects: [],
      complete: true,
      kinds: expect.arrayContaining(['tool']),
    });
  });

  test('is a defect where it is an answer outside as well', () => {
    const both = JSON.stringify({ ...wrapped, candidates: [] });
    expect(readAs(null, gemini, 'generate_content', both).defects).toEqual([
      'a partial answer has another within it',
    ]);
  });

  test('says after an amendment what the amendment says, and nothing else differs', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(null, 'sse' as const, 'json-array' as const),
        fc.dictionary(
          fc.string().filter((key) => key !== '__proto__'),
          fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
        ),
        (form, args) => {
          const [operation, bytes] =
            form === null
              ? ['generate_content', JSON.stringify(wrapped)]
              : ['stream_generate_content', form === 'sse' ? events(wrapped) : JSON.stringify([wrapped])];
          const before = readAs(form, gemini, operation, bytes);
          const id = before.facts.toolCalls[0]?.id ?? '';
          const plain: unknown = JSON.parse(JSON.stringify(args));
          const text = amended(form, gemini, operation, bytes, { toolCalls: [{ id, arguments: plain }] });
          const after = readAs(form, gemini, operation, text);
          expect(after.facts.toolCalls[0]?.arguments).toEqual(plain);
          const { toolCalls: _before, ...rest } = before.facts;
          expect(after.facts).toMatchObject(rest);
          expect(text).toContain('"traceId":"t"');
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('a partial answer of no known form', () => {
  test('waits, since it may call a tool', () => {
    const odd = events({ result: { candidates } }, { candidates: [{ finishReason: 'STOP' }] });
    const read = readAs('sse', gemini, 'stream_generate_content', odd);
    expect(read.kinds).toEqual(['tool', 'end']);
    expect(read.defects).toEqual(['a partial answer has no `candidates`']);
  });

  test('passes where it says nothing at all', () => {
    expect(readAs('sse', gemini, 'stream_generate_content', events({})).kinds).toEqual(['other']);
  });
});

test('what is to be embedded in a batch is read within its wrapping', () => {
  const requests = [{ request: { content: { parts: [{ text: 'One.' }] } }, metadata: { key: 'a' } }];
  const body = { batch: { inputConfig: { requests: { requests } } } };
  expect(asked(gemini, 'embed_content', body, '/v1beta/models/e:asyncBatchEmbedContent').facts.text).toBe(
    'One.',
  );
});
