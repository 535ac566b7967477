/** Counters move as what they count happens. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePrometheus, type Sample } from '../unit/telemetry/prometheus.ts';
import { eventually, type House, nextHold, startHouse } from './support/sidecar.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.close());

async function samples(name: string): Promise<readonly Sample[]> {
  return parsePrometheus((await house.call('/metrics', { as: null })).text).get(name)?.samples ?? [];
}
const metric = async (name: string, labels: Record<string, string> = {}) =>
  (await samples(name)).find((sample) => JSON.stringify(sample.labels) === JSON.stringify(labels))?.value ??
  0;

describe('the metrics of a sidecar', () => {
  it('count calls by operation and status, matches, rulings and holds that wait', async () => {
    await (await house.ask('hello garden')).text();
    expect((await house.ask('a forbidden topic')).status).toBe(403);
    const asked = house.ask('transfer 5 EUR');
    const held = await nextHold(house);
    expect(await metric('holdpoint_holds_pending')).toBe(1);
    const leftSeconds = (Date.parse(String(held['expiresAt'])) - Date.now()) / 1000;
    expect(await metric('holdpoint_hold_next_expiry_seconds')).toBeCloseTo(leftSeconds, -1);
    expect(await metric('holdpoint_calls_in_flight')).toBe(1);
    await house.call(`/api/v1/holds/${held.id}/rulings`, {
      json: { verdict: 'release', digest: held.digest },
    });
    await (await asked).text();
    await eventually(async () => (await metric('holdpoint_calls_in_flight')) === 0);
    const calls = { operation: 'chat.completions' };
    expect(await metric('holdpoint_calls_total', { ...calls, status: '200' })).toBe(2);
    expect(await metric('holdpoint_calls_total', { ...calls, status: '403' })).toBe(1);
    expect(await metric('holdpoint_rule_matches_total', { rule: 'large-transfer', action: 'hold' })).toBe(1);
    expect(await metric('holdpoint_rule_matches_total', { rule: 'forbidden-topic', action: 'deny' })).toBe(1);
    expect(await metric('holdpoint_rulings_total', { status: 'released' })).toBe(1);
    expect(await metric('holdpoint_holds_pending')).toBe(0);
    expect(await metric('holdpoint_hold_next_expiry_seconds')).toBe(Number.POSITIVE_INFINITY);
    expect(await metric('holdpoint_ledger_writable')).toBe(1);
    expect((await samples('holdpoint_call_seconds')).find(({ name }) => name.endsWith('_count'))?.value).toBe(
      3,
    );
  });

  it('count refusals of the control port by code', async () => {
    await house.call('/api/v1/whoami', { as: null });
    await house.call('/nothing');
    expect(await metric('holdpoint_control_refused_total', { code: 'unauthenticated' })).toBe(1);
    expect(await metric('holdpoint_control_refused_total', { code: 'not_found' })).toBe(1);
  });

  it('count entries of the ledger', async () => {
    const before = await metric('holdpoint_ledger_entries');
    await (await house.ask('one more garden')).text();
    expect(await metric('holdpoint_ledger_entries')).toBeGreaterThanOrEqual(before + 2);
  });
});
