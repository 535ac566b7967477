/** The file of erasures that were asked for: what it keeps over a restart, who may read it, what it refuses. */
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KeptOrder } from '../../../src/ledger/erasure.ts';
import { openErasureOrders } from '../../../src/store/erasure-orders.ts';

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'holdpoint-orders-'));
  file = join(dir, 'erasures.json');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const orderOf = (id: string, scope: KeptOrder['scope']): KeptOrder => ({
  id: id.repeat(16),
  by: 'petra',
  role: 'privacy',
  basis: 'objection',
  reason: 'request 1',
  meant: 'decision' in scope ? 'e5'.repeat(32) : '',
  scope,
});
const one = orderOf('a', { subject: '3e5ca71bc6b17d64' });
const other = orderOf('b', { match: { workload: 'chat' }, before: '2026-01-01T00:00:00Z' });
const third = orderOf('c', { decision: 7 });

describe('erasures that were asked for', () => {
  it('are there again after a start, in their order, in a file that only its owner reads', () => {
    const orders = openErasureOrders(file);
    for (const order of [one, other, third]) orders.keep(order);
    orders.drop(other.id);
    expect(openErasureOrders(file).all()).toEqual([one, third]);
    orders.keep(other);
    expect(openErasureOrders(file).all()).toEqual([one, third, other]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('leave no file when none is left', () => {
    const orders = openErasureOrders(file);
    expect(orders.all()).toEqual([]);
    orders.keep(one);
    expect(existsSync(file)).toBe(true);
    orders.drop(one.id);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('are refused where they cannot be kept, and those before stay', () => {
    const orders = openErasureOrders(file);
    orders.keep(one);
    rmSync(dir, { recursive: true });
    expect(() => orders.keep(other)).toThrow(expect.objectContaining({ code: 'ledger_unavailable' }));
    expect(orders.all()).toEqual([one]);
  });

  it('and kept by a version that did not say which decision was meant mean none that is there', () => {
    const { meant: _meant, ...old } = third;
    writeFileSync(file, JSON.stringify({ version: 1, orders: [old] }));
    expect(openErasureOrders(file).all()).toEqual([{ ...third, meant: '' }]);
  });

  it.each(['', '{', '{"version":2,"orders":[]}', '{"version":1,"orders":[{"id":"a"}]}'])(
    'that cannot be read keep the sidecar from starting: %s',
    (text) => {
      writeFileSync(file, text);
      expect(() => openErasureOrders(file)).toThrow(expect.objectContaining({ code: 'config_invalid' }));
    },
  );
});
