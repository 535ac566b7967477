/** The console's pages apart from how they look: addresses, what a session's turns add, which policy was a change. */
import { describe, expect, it } from 'vitest';
import type { Exchange, Message } from '../../../src/console/answers/exchange-data.ts';
import { placeAt, privacyAddress, searchAddress, sessionAddress } from '../../../src/console/desk/place.ts';
import { niceCeiling } from '../../../src/console/drawn/chart.ts';
import { changesOf } from '../../../src/console/pages/policy.ts';
import { additions } from '../../../src/console/pages/session.ts';
import { spanText } from '../../../src/console/words/time.ts';

describe('an address', () => {
  it.each([
    ['', { page: 'inbox' }],
    ['#/', { page: 'inbox' }],
    ['#/holds/h-1', { page: 'inbox' }],
    ['#/nowhere', { page: 'inbox' }],
    ['#/decisions/d-1/more', { page: 'inbox' }],
    ['#/decisions', { page: 'decisions', query: '', id: null }],
    ['#/decisions?model=a', { page: 'decisions', query: 'model=a', id: null }],
    ['#/decisions/d-1', { page: 'decisions', query: '', id: 'd-1' }],
    ['#/ledger', { page: 'ledger', seq: null }],
    ['#/ledger/12', { page: 'ledger', seq: 12 }],
    ['#/ledger/-1', { page: 'ledger', seq: null }],
    ['#/privacy', { page: 'privacy', decision: '' }],
    ['#/privacy?decision=d-1&subject=ada', { page: 'privacy', decision: 'd-1' }],
    ['#/overview?hours=168', { page: 'overview', hours: 168 }],
    ['#/overview?hours=1e9', { page: 'overview', hours: 24 }],
    ['#/sessions/%E0%A4%A', { page: 'inbox' }],
  ])('%s leads to its page', (hash, place) => {
    expect(placeAt(hash)).toEqual(place);
  });

  it('of a session keeps whatever the workload called it', () => {
    const id = 'a/b?c#d <é>';
    expect(placeAt(sessionAddress(id))).toEqual({ page: 'session', id });
  });

  it('of the privacy page keeps the decision that it was opened from', () => {
    expect(placeAt(privacyAddress('d-3f9a01c2-15'))).toEqual({ page: 'privacy', decision: 'd-3f9a01c2-15' });
  });

  it('of a search leaves out what is not asked for', () => {
    expect(searchAddress({ model: 'a b&c', rule: '' })).toBe('#/decisions?model=a+b%26c');
  });
});

function said(role: string, text: string): Message {
  return { role, text, toolCalls: [] };
}

function exchange(messages: readonly Message[], answer: string): Exchange {
  const raw = { startLine: '', headers: [], body: '' };
  return {
    request: { method: 'POST', path: '/', params: [], system: '', messages, tools: [], raw },
    response: {
      status: 200,
      text: answer,
      refusal: '',
      toolCalls: [],
      finishReason: 'stop',
      tokens: '',
      streamed: false,
      raw,
    },
    amendedRequest: null,
    amendedResponse: null,
    defects: [],
  };
}

describe('a session', () => {
  const turns = [{ id: 'one' }, { id: 'two' }];

  it('shows of each turn only what was not said before', () => {
    const first = [said('user', 'hello')];
    const second = [...first, said('assistant', 'hi'), said('user', 'more')];
    const readings = new Map([
      ['one', exchange(first, 'hi')],
      ['two', exchange(second, 'no')],
    ]);
    expect(additions(turns, readings).map((added) => added.map(({ text }) => text))).toEqual([
      ['hello', 'hi'],
      ['more', 'no'],
    ]);
  });

  it('shows a turn whole from where it tells the past otherwise', () => {
    const readings = new Map([
      ['one', exchange([said('user', 'hello')], 'hi')],
      [
        'two',
        exchange([said('user', 'hello'), said('assistant', 'I never said that'), said('user', 'so?')], 'no'),
      ],
    ]);
    expect(additions(turns, readings)[1]?.map(({ text }) => text)).toEqual([
      'I never said that',
      'so?',
      'no',
    ]);
  });

  it('shows what a reviewer put in the place of a request and its answer, and goes on from what was delivered', () => {
    const first = [said('user', 'hello')];
    const one = exchange(first, 'hi');
    const other = exchange([said('user', 'good day')], 'good day to you');
    const amended = { amendedRequest: other.request, amendedResponse: other.response };
    const second = [...first, said('assistant', 'good day to you'), said('user', 'more')];
    const readings = new Map([
      ['one', { ...one, ...amended }],
      ['two', exchange(second, 'no')],
    ]);
    const shown = additions(turns, readings).map((added) =>
      added.map(({ role, text }) => `${role}: ${text}`),
    );
    expect(shown).toEqual([
      ['user: hello', 'user, amended: good day', 'assistant: hi', 'assistant, amended: good day to you'],
      ['user: more', 'assistant: no'],
    ]);
  });

  it('goes on after a turn that could not be read', () => {
    const readings = new Map<string, Exchange | string>([
      ['one', 'erased'],
      ['two', exchange([said('user', 'more')], 'no')],
    ]);
    expect(additions(turns, readings).map(({ length }) => length)).toEqual([0, 2]);
  });
});

describe('the versions of a policy', () => {
  const sealed = (seq: number, digest: string, result: 'loaded' | 'refused' = 'loaded') => ({
    seq,
    atMs: seq,
    version: 'v',
    digest,
    result,
  });

  it('are the times another file came; a start with the same one is none', () => {
    const changes = changesOf([sealed(3, 'b'), sealed(2, 'a'), sealed(1, 'a')]);
    expect(changes.map(({ version, before }) => [version.seq, before?.seq ?? null])).toEqual([
      [3, 1],
      [1, null],
    ]);
  });

  it('are compared with what was in force, not with what was refused', () => {
    const changes = changesOf([sealed(3, 'c'), sealed(2, 'b', 'refused'), sealed(1, 'a')]);
    expect(changes.map(({ version, before }) => [version.seq, before?.seq ?? null])).toEqual([
      [3, 1],
      [2, 1],
      [1, null],
    ]);
  });
});

describe('numbers to look at', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [2_400, '2.4 s'],
    [12_000, '12 s'],
    [300_000, '5 min'],
    [12_600_000, '3.5 h'],
    [172_800_000, '2 d'],
  ])('%i ms reads as %s', (ms, text) => {
    expect(spanText(ms)).toBe(text);
  });

  it.each([
    [0, 1],
    [1, 1],
    [3, 4],
    [9, 10],
    [10, 10],
    [11, 20],
    [4_800, 5_000],
  ])('an axis for %i ends at %i', (value, end) => {
    expect(niceCeiling(value)).toBe(end);
  });
});
