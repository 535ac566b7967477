import { expect, it } from 'vitest';
import { decisionId, holdId, seqOfId } from '../../../src/ledger/ids.ts';

const ledger = 'aabbccdd00112233445566778899eeff';

it('an id names its kind, its ledger and its entry, and leads back to it', () => {
  expect(decisionId(ledger, 42)).toBe('d-aabbccdd-42');
  expect(holdId(ledger, 0)).toBe('h-aabbccdd-0');
  expect(seqOfId('d', ledger, decisionId(ledger, 42))).toBe(42);
  expect(seqOfId('h', ledger, holdId(ledger, 0))).toBe(0);
});

it.each([
  ['another kind', 'h-aabbccdd-42'],
  ['another ledger', 'd-aabbccde-42'],
  ['a leading zero', 'd-aabbccdd-042'],
  ['a sign', 'd-aabbccdd--1'],
  ['an unsafe integer', 'd-aabbccdd-9007199254740993'],
  ['upper case', 'd-AABBCCDD-42'],
  ['something after it', 'd-aabbccdd-42\n'],
  ['nothing', ''],
])('an id with %s names nothing here', (_name, id) => {
  expect(seqOfId('d', ledger, id)).toBeNull();
});
