/** Servers that gather a call before they make it send its tokens ahead: they wait as the call does. */
import { describe, expect, test } from 'vitest';
import type { ProtocolName } from '../../../src/core/protocol-name.ts';
import { protocolOf } from '../../../src/provider/index.ts';
import type { OperationName, StreamForm } from '../../../src/provider/protocol.ts';
import { lines, readAs } from './lines.ts';
import { events } from './streams.ts';

const tokens = { content: [{ token: '25000', logprob: -1, bytes: [50], top_logprobs: [] }] };
const spelled = { logprobs: tokens, token_ids: [25_000] };
const chunk = (delta: object, members: object = {}) => ({
  id: 'c',
  choices: [{ index: 0, delta, finish_reason: null, ...members }],
});
const silent = { message: { role: 'assistant', content: '' }, done: false, logprobs: [{ token: '25000' }] };

describe('the tokens of a call that is still gathered wait as the call does', () => {
  const kindsOf = (family: ProtocolName, operation: OperationName, form: StreamForm, answer: string) =>
    readAs(form, protocolOf(family), operation, answer).kinds;

  test.each([
    ['logprobs', chunk({}, { logprobs: tokens })],
    ['logprobs beside an empty text', chunk({ content: '' }, { logprobs: tokens })],
    ['logprobs without a delta', { choices: [{ index: 0, logprobs: tokens }] }],
    ['token ids', chunk({}, { token_ids: [25_000] })],
  ])('as %s of a completion', (_form, event) => {
    expect(kindsOf('openai', 'chat.completions', 'sse', events(event))).toEqual(['tool']);
  });

  test.each([
    ['of a text that is shown', chunk({ content: 'Paying.' }, spelled), 'text'],
    ['that are none', chunk({}, { logprobs: { content: [], refusal: null }, token_ids: [] }), 'other'],
  ])('and not those %s', (_what, event, kind) => {
    expect(kindsOf('openai', 'chat.completions', 'sse', events(event))).toEqual([kind]);
  });

  test('as those of Ollama', () => {
    const shown = { ...silent, message: { role: 'assistant', content: 'Paying.' } };
    const answer = lines(shown, silent, { ...silent, logprobs: [] });
    expect(kindsOf('ollama', 'chat', 'ndjson', answer)).toEqual(['text', 'tool', 'other']);
  });
});
