import { describe, expect, it } from 'vitest';
import type { Exchange } from '../../../../src/console/answers/exchange-data.ts';
import { amendmentOf, type Editable, editablesOf, editedOf } from '../../../../src/console/hold/amendment.ts';
import { hold } from '../holds.ts';

const raw = { startLine: '', headers: [], body: '{"model":"gpt-4.1"}' };
const plain = { otherNames: [], otherReadings: [], sameArgumentsAt: [] };
const exchange: Exchange = {
  request: { method: 'POST', path: '/', params: [], system: '', messages: [], tools: [], raw },
  response: {
    status: 200,
    text: 'On it.',
    refusal: '',
    toolCalls: [
      { id: 'call_1', name: 'pay', argumentsText: '{"amount":25000,"to":"DE89"}', ...plain },
      { id: 'call_2', name: 'tell', argumentsText: '{"text":"done"}', ...plain },
    ],
    finishReason: 'tool_calls',
    tokens: '',
    streamed: false,
    raw,
  },
  amendedRequest: null,
  amendedResponse: null,
  defects: [],
};
const editables = editablesOf(hold('a'), exchange);
const first = (): Editable => {
  const [editable] = editables;
  if (editable === undefined) throw new Error('nothing to edit');
  return editable;
};
const amended = (drafts: Record<string, string>) =>
  amendmentOf(editables.map((editable) => editedOf(editable, drafts[editable.key] ?? editable.source)));

describe('amending an answer', () => {
  it('offers each call and the text', () => {
    expect(editables.map(({ key }) => key)).toEqual(['call-0', 'call-1', 'text']);
  });

  it('sends only what changed', () => {
    expect(amended({ 'call-0': '{"amount":2500,"to":"DE89"}' })).toEqual({
      toolCalls: [{ id: 'call_1', arguments: { amount: 2500, to: 'DE89' } }],
    });
    expect(amended({ text: 'Later.' })).toEqual({ text: 'Later.' });
  });

  it('takes another spelling of the same value for no change', () => {
    expect(amended({ 'call-0': '{ "amount": 25000, "to": "DE89" }' })).toBe('Nothing is changed yet.');
  });

  it.each([
    ['{"amount":', /Not JSON/],
    ['[]', /must stay a JSON object/],
  ])('refuses %j before it is sent', (draft, problem) => {
    expect(amended({ 'call-0': draft })).toMatch(problem);
  });

  it('shows what JSON would make of a number that is too large', () => {
    const edited = editedOf(first(), '{"amount":12345678901234567890,"to":"DE89"}');
    expect(JSON.stringify(edited.lines)).toContain('12345678901234567000');
  });
});

describe('amending a request', () => {
  const request = hold('a', { phase: 'request' });

  it('edits its whole body', () => {
    const [body] = editablesOf(request, { ...exchange, response: null });
    if (body === undefined) throw new Error('nothing to edit');
    expect(amendmentOf([editedOf(body, '{"model":"other"}')])).toEqual({ body: { model: 'other' } });
  });
});
