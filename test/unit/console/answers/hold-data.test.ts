import { describe, expect, it } from 'vitest';
import { readHolds, readNotice } from '../../../../src/console/answers/hold-data.ts';
import { readFinalRuling } from '../../../../src/console/answers/hold-detail.ts';
import { ShapeError } from '../../../../src/console/answers/shape.ts';
import { holdAt } from '../../../../src/console/desk/place.ts';

const line = {
  id: 'h-1',
  decisionId: 'd-1',
  state: 'pending',
  phase: 'response',
  severity: 'high',
  rules: [{ id: 'r', title: 'R', severity: 'high' }],
  headline: 'pay amount=1',
  provider: 'openai',
  operation: 'chat.completions',
  model: 'm',
  workload: 'w',
  session: '',
  stream: false,
  digest: 'ab',
  openedAt: '2026-11-22T13:00:00.000Z',
  expiresAt: '2026-11-22T13:15:00.000Z',
  approvals: { needed: 1, given: [], byRole: [] },
  roles: ['reviewer'],
  escalation: [],
  breakGlass: [],
  requester: 'w',
  caller: 'waiting',
  possibleDuplicate: false,
  assignee: '',
  commentCount: 0,
  contentDigest: '',
  outcome: null,
};

describe("the sidecar's answers", () => {
  it('are read into lines', () => {
    const [hold] = readHolds({ items: [line], total: 1, next: null }).items;
    expect(hold).toMatchObject({ id: 'h-1', callerWaits: true, expiresAtMs: Date.UTC(2026, 10, 22, 13, 15) });
  });

  it.each(['id', 'digest', 'expiresAt', 'approvals', 'roles'])('are refused without %s', (field) => {
    expect(() => readHolds({ items: [{ ...line, [field]: undefined }], total: 1, next: null })).toThrow(
      ShapeError,
    );
  });

  it('in a state this page does not know are nothing to rule on', () => {
    const [hold] = readHolds({
      items: [{ ...line, state: 'thawed', severity: 'cosmic' }],
      total: 1,
      next: null,
    }).items;
    expect(hold).toMatchObject({ state: 'expired', severity: 'high' });
  });

  it('tell who ruled last and finally', () => {
    const entry = (by: string, final: boolean) => ({
      type: 'ruling',
      at: line.openedAt,
      data: { by, role: 'reviewer', verdict: 'release', final },
    });
    expect(
      readFinalRuling({ entries: [{ type: 'request', data: {} }, entry('ada', false), entry('bob', true)] }),
    ).toMatchObject({ by: 'bob' });
    expect(readFinalRuling({ entries: [entry('ada', false)] })).toBeNull();
  });

  it('as events name no content', () => {
    const event = { kind: 'ruled', id: 'h-1', state: 'denied', caller: 'gone', outcome: null };
    expect(readNotice(event)).toMatchObject({ state: 'denied', callerWaits: false });
  });
});

describe('the address', () => {
  it.each([
    ['#/holds/h-c0141ec5-9', 'h-c0141ec5-9'],
    ['#/', null],
    ['', null],
    ['#/holds/../secrets', null],
    ['#/holds/', null],
  ])('%j names the hold %s', (hash, id) => expect(holdAt(hash)).toBe(id));
});
