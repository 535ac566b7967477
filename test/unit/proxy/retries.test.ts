/** What makes a call the repetition of another one, and what a caller says of its patience. */
import { describe, expect, test } from 'vitest';
import { bodyOf } from '../../../src/proxy/body.ts';
import {
  clientBudgetMs,
  isMarkedRetry,
  prefersAsync,
  type Repeatable,
  retryKeyOf,
  retryProofOf,
} from '../../../src/proxy/retries.ts';

const secret = Buffer.from('fingerprint key');
const facts = { workload: 'agent', subject: 'p-1', purpose: 'billing', session: 's-1', headers: {} };
const call: Repeatable = {
  facts,
  ...{ method: 'POST', target: '/v1/chat/completions', credential: 'c0ffee', upstream: { name: 'openai' } },
  headers: ['Content-Type', 'application/json', 'Idempotency-Key', 'k-1'],
  body: bodyOf(Buffer.from('{"model":"m","n":1}')),
  stored: { removed: 0 },
};
const keyOf = (change: Partial<Repeatable> = {}): string => retryKeyOf({ ...call, ...change }, secret);
const signedBy = (id: string): readonly string[] => [
  ...['Authorization', 'AWS4-HMAC-SHA256 Credential=AKIA', 'amz-sdk-invocation-id', id],
];

describe('another call is one', () => {
  const others: Readonly<Record<string, Partial<Repeatable>>> = {
    'of another workload': { facts: { ...facts, workload: 'other' } },
    'about another subject': { facts: { ...facts, subject: 'p-2' } },
    'for another purpose': { facts: { ...facts, purpose: 'research' } },
    'in another session': { facts: { ...facts, session: 's-2' } },
    'with other headers that rules see': { facts: { ...facts, headers: { 'openai-project': 'p' } } },
    'with another credential': { credential: 'decaf' },
    'to another provider': { upstream: { name: 'other' } },
    'by another method': { method: 'PUT' },
    'to another path': { target: '/v1/responses' },
    'with another idempotency key': {
      headers: ['Content-Type', 'application/json', 'Idempotency-Key', 'k-2'],
    },
    'in another form': { headers: ['Content-Type', 'text/plain', 'Idempotency-Key', 'k-1'] },
    'in another coding': { headers: [...call.headers, 'Content-Encoding', 'gzip'] },
    'for a gateway to send elsewhere': {
      headers: [...call.headers, 'x-portkey-custom-host', 'http://a.test'],
    },
    'for another model of a gateway': { headers: [...call.headers, 'ai-language-model-id', 'acme/other'] },
    'with another body': { body: bodyOf(Buffer.from('{"model":"m","n":2}')) },
  };

  for (const [what, change] of Object.entries(others))
    test(what, () => {
      expect(keyOf(change)).not.toBe(keyOf());
    });

  test('with another body of which only the beginning is the same', () => {
    const spooled = (sha256: string): Repeatable['body'] => {
      const pieces = async function* () {
        yield call.body.head;
      };
      const spool = { bytes: 1_000_000, sha256, read: pieces, close: async () => undefined };
      return { ...call.body, bytes: 1_000_000, spool };
    };
    expect(keyOf({ body: spooled('a'.repeat(64)) })).toBe(keyOf({ body: spooled('a'.repeat(64)) }));
    expect(keyOf({ body: spooled('a'.repeat(64)) })).not.toBe(keyOf({ body: spooled('b'.repeat(64)) }));
  });

  test('signed for another invocation', () => {
    expect(keyOf({ headers: signedBy('i-1') })).not.toBe(keyOf({ headers: signedBy('i-2') }));
  });

  test('whose fields only together read the same', () => {
    const moved = { ...facts, subject: 'p-1b', purpose: 'illing' };
    expect(keyOf({ facts: moved })).not.toBe(keyOf());
  });
});

test('the same JSON in another spelling is the same call, but where a credential in it is not stored', () => {
  const spelt = bodyOf(Buffer.from('{ "n": 1, "model": "m" }'));
  expect(keyOf({ body: spelt })).toBe(keyOf());
  const stored = { removed: 1 };
  expect(keyOf({ body: spelt, stored })).not.toBe(keyOf({ stored }));
});

test('the key of a call is another one under another secret', () => {
  expect(retryKeyOf(call, Buffer.from('another key'))).not.toBe(keyOf());
});

test('a repetition is marked by a count above none, or by a later attempt than the first', () => {
  const marked = (name: string, value: string): boolean => isMarkedRetry([name, value]);
  for (const count of ['0', '', 'soon', '0.5', 'Infinity'])
    expect(marked('x-stainless-retry-count', count)).toBe(false);
  expect(marked('x-stainless-retry-count', '1')).toBe(true);
  expect(marked('amz-sdk-request', 'attempt=1; max=3')).toBe(false);
  expect(marked('amz-sdk-request', 'attempt=2; max=3')).toBe(true);
  expect(marked('amz-sdk-request', 'ttl=20261128T120000Z; attempt=2; max=3')).toBe(true);
  expect(marked('amz-sdk-request', 'reattempt=2')).toBe(false);
});

test('a signature is told from a neighbour’s by a session’s token or by the id of its call', () => {
  const signed = ['Authorization', 'AWS4-HMAC-SHA256 Credential=AKIA'];
  expect(retryProofOf(['Authorization', 'Bearer key'])).toBe('');
  expect(retryProofOf([...signed, 'X-Amz-Security-Token', 't'])).toBe('');
  expect(retryProofOf([...signedBy('i-1'), 'Idempotency-Key', 'k'])).toBe('i-1');
  expect(retryProofOf([...signed, 'Idempotency-Key', 'k'])).toBe('k');
  expect(retryProofOf(signed)).toBeNull();
});

test('who prefers to be told says so in a member of its own', () => {
  for (const value of ['respond-async', 'wait=10, Respond-Async', 'respond-async; x=1'])
    expect(prefersAsync(['prefer', 'return=minimal', 'Prefer', value])).toBe(true);
  for (const value of ['', 'respond-asynchronously', 'not-respond-async', 'wait=10'])
    expect(prefersAsync(['Prefer', value])).toBe(false);
});

test('a client’s patience is a number of seconds above none', () => {
  const budget = (seconds: string): number | null => clientBudgetMs(['x-stainless-timeout', seconds]);
  expect(budget('600')).toBe(600_000);
  for (const none of ['', '0', '-1', 'long', 'Infinity']) expect(budget(none)).toBeNull();
});
