import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { parsePrometheus } from './prometheus.ts';

const gauges = {
  holdpoint_calls_in_flight: 2,
  holdpoint_holds_pending: 1,
  holdpoint_hold_next_expiry_seconds: 42,
  holdpoint_reviews_open: 0,
  holdpoint_reviews_overdue: 0,
  holdpoint_ledger_entries: 77,
  holdpoint_erased_bytes: 0,
  holdpoint_erased_parts: 0,
  holdpoint_erasures_pending: 0,
  holdpoint_retention_entry: 0,
  holdpoint_notifications_pending: 0,
  holdpoint_notifications_dead: 0,
  holdpoint_ledger_writable: 1,
  process_resident_memory_bytes: 123_456_789,
};

describe('the metrics page', () => {
  it('reads as Prometheus text before anything was counted', () => {
    const page = parsePrometheus(createMetrics().render(gauges));
    expect(page.get('holdpoint_ledger_failures_total')?.samples).toEqual([
      { name: 'holdpoint_ledger_failures_total', labels: {}, value: 0 },
    ]);
    for (const [name, value] of Object.entries(gauges))
      expect(page.get(name)).toMatchObject({ type: 'gauge', samples: [{ labels: {}, value }] });
  });

  it('counts by labels', () => {
    const metrics = createMetrics();
    metrics.count('holdpoint_calls_total', { operation: 'messages', status: '200' });
    metrics.count('holdpoint_calls_total', { operation: 'messages', status: '200' });
    metrics.count('holdpoint_calls_total', { operation: 'messages', status: '403' });
    metrics.count('holdpoint_ledger_failures_total', {});
    const page = parsePrometheus(metrics.render(gauges));
    expect(page.get('holdpoint_calls_total')).toMatchObject({
      type: 'counter',
      samples: [
        { labels: { operation: 'messages', status: '200' }, value: 2 },
        { labels: { operation: 'messages', status: '403' }, value: 1 },
      ],
    });
    expect(page.get('holdpoint_ledger_failures_total')?.samples).toMatchObject([{ value: 1 }]);
  });

  it('shows what is declared at 0, and leaves alone what was counted', () => {
    const metrics = createMetrics();
    const labels = { anchor: 'vault', code: 'anchor_failed' };
    metrics.declare('holdpoint_anchor_failures_total', labels);
    const shown = () =>
      parsePrometheus(metrics.render(gauges)).get('holdpoint_anchor_failures_total')?.samples;
    expect(shown()).toMatchObject([{ labels, value: 0 }]);
    metrics.count('holdpoint_anchor_failures_total', labels);
    metrics.declare('holdpoint_anchor_failures_total', labels);
    expect(shown()).toMatchObject([{ labels, value: 1 }]);
  });

  it('has a gauge of no end as one, and one by labels only where there is one', () => {
    const lag = { name: 'holdpoint_anchor_lag_seconds', labels: { anchor: 'a' } } as const;
    const page = (value: number) =>
      createMetrics().render({ ...gauges, holdpoint_hold_next_expiry_seconds: value }, [{ ...lag, value }]);
    expect(page(Number.POSITIVE_INFINITY)).toContain('\nholdpoint_anchor_lag_seconds{anchor="a"} +Inf\n');
    expect(page(Number.POSITIVE_INFINITY)).toContain('\nholdpoint_hold_next_expiry_seconds +Inf\n');
    expect(page(2.5)).toContain('\nholdpoint_anchor_lag_seconds{anchor="a"} 2.5\n');
    expect(page(2.5)).not.toContain('holdpoint_anchor_size');
    expect(createMetrics().render(gauges)).not.toContain('holdpoint_anchor_lag');
  });

  it('escapes what a label may hold', () => {
    const metrics = createMetrics();
    const rule = 'a"b\\c\nd{e="f"}';
    metrics.count('holdpoint_rule_matches_total', { rule, action: 'hold' });
    const page = parsePrometheus(metrics.render(gauges));
    expect(page.get('holdpoint_rule_matches_total')?.samples[0]?.labels).toEqual({ rule, action: 'hold' });
  });

  it('has a histogram whose buckets are cumulative and end with all', () => {
    const metrics = createMetrics();
    for (const seconds of [0, 0.001, 0.0011, 0.3, 299, 300, 301]) metrics.observeSeconds(seconds);
    const { samples = [] } = parsePrometheus(metrics.render(gauges)).get('holdpoint_call_seconds') ?? {};
    const buckets = samples.filter(({ name }) => name.endsWith('_bucket'));
    const values = buckets.map(({ value }) => value);
    expect(values).toEqual([...values].sort((a, b) => a - b));
    const at = (le: string) => buckets.find(({ labels }) => labels['le'] === le)?.value;
    expect([at('0.001'), at('0.0025'), at('0.5'), at('300'), at('+Inf')]).toEqual([2, 3, 4, 6, 7]);
    expect(samples.find(({ name }) => name.endsWith('_count'))?.value).toBe(7);
    expect(samples.find(({ name }) => name.endsWith('_sum'))?.value).toBeCloseTo(900.3021, 3);
  });

  it('does not grow without end', () => {
    const metrics = createMetrics();
    for (let i = 0; i < 5_000; i++) {
      metrics.declare('holdpoint_rule_matches_total', { rule: `d${i}`, action: 'hold' });
      metrics.count('holdpoint_rule_matches_total', { rule: `r${i}`, action: 'hold' });
    }
    const { samples = [] } =
      parsePrometheus(metrics.render(gauges)).get('holdpoint_rule_matches_total') ?? {};
    expect(samples.length).toBeLessThan(2_001);
  });
});

describe('the strict reader', () => {
  it.each([
    'x 1',
    '# TYPE x counter\nx 1\n',
    '# HELP x y\n# TYPE x counter\ny 1\n',
    '# HELP x y\n# TYPE x counter\nx{a=b} 1\n',
    '# HELP x y\n# TYPE x counter\nx 1\nx 2\n',
    '# HELP x y\n# TYPE x counter\nx one\n',
  ])('refuses %j', (page) => {
    expect(() => parsePrometheus(page)).toThrow();
  });
});
