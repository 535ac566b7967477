import { expect, it } from 'vitest';
import {
  addPages,
  type BacktestPage,
  readBacktestPage,
} from '../../../../src/console/answers/backtest-data.ts';
import { ShapeError } from '../../../../src/console/answers/shape.ts';

const ids = (from: number, count: number) => Array.from({ length: count }, (_, at) => `d-${from - at}`);
const none = { decisions: 0, examples: [] };
const rule = {
  ...{ rule: 'large-transfer', phase: 'response', title: 'Large transfers', action: 'hold' },
  ...{ now: 4, before: 2, newly: { decisions: 3, examples: ids(30, 3) }, noLonger: none },
  ...{ failed: none, unknown: none },
};
const newer: BacktestPage = {
  draft: { version: '2', digest: '7d'.repeat(32), rules: 1 },
  decisions: 10,
  replayed: { request: 10, response: 9 },
  rules: [rule],
  verdicts: [{ before: 'pass', now: 'hold', decisions: 3 }],
  notReplayed: [{ reason: 'erased', phase: 'response', decisions: 1, examples: ['d-31'] }],
  next: 20,
  unreadable: [
    { seq: 25, last: 25, decision: '', why: 'Entry 25 cannot be read.' },
    { seq: 22, last: 23, decision: '', why: 'Entries 22 to 23 cannot be read.' },
  ],
};
const older: BacktestPage = {
  ...newer,
  rules: [
    { ...rule, now: 5, before: 1, newly: { decisions: 4, examples: ids(19, 4) } },
    { ...rule, rule: 'gone', title: '', action: null },
  ],
  verdicts: [
    { before: 'pass', now: 'hold', decisions: 4 },
    { before: 'hold', now: 'hold', decisions: 1 },
  ],
  next: null,
  unreadable: [{ seq: 25, last: 25, decision: 'd-19', why: 'Entry 25 cannot be read.' }],
};

it('two pages add up rule by rule, keep the newest examples, and end where the second does', () => {
  const sum = addPages(newer, older);
  expect(sum).toMatchObject({ decisions: 20, replayed: { request: 20, response: 18 }, next: null });
  expect(sum.rules.map(({ rule: id, now, before, newly }) => [id, now, before, newly])).toEqual([
    ['large-transfer', 9, 3, { decisions: 7, examples: ['d-30', 'd-29', 'd-28', 'd-19', 'd-18'] }],
    ['gone', 4, 2, { decisions: 3, examples: ids(30, 3) }],
  ]);
  expect(sum.verdicts).toEqual([
    { before: 'pass', now: 'hold', decisions: 7 },
    { before: 'hold', now: 'hold', decisions: 1 },
  ]);
  expect(sum.unreadable.map(({ seq, decision }) => [seq, decision])).toEqual([
    [25, 'd-19'],
    [22, ''],
  ]);
  expect(sum.notReplayed).toEqual([
    { reason: 'erased', phase: 'response', decisions: 2, examples: ['d-31', 'd-31'] },
  ]);
});

it('an answer in another form is told by the field that is not as expected', () => {
  expect(readBacktestPage(newer)).toEqual(newer);
  expect(() => readBacktestPage({ ...newer, next: '20' })).toThrow(new ShapeError('next', 'a number'));
});
