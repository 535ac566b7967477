/**
 * Counters and one histogram in Prometheus text format 0.0.4. Labels come from closed sets and the policy, never
 * from content, and the number of series is bounded.
 *
 * Written here rather than taken from a package: prom-client had its last release in 2024 and became
 * `@prometheus-io/client`, which is at 0.16 after two releases; both bring OpenTelemetry's API and a t-digest
 * for kinds of metrics that are not used here, and neither bounds series. A strict reader of the format tests this.
 */

export interface Metrics {
  count(name: MetricName, labels: Readonly<Record<string, string>>): void;
  /** Shows a series at 0 before anything was counted: one that is absent until then cannot be alerted on. */
  declare(name: MetricName, labels: Readonly<Record<string, string>>): void;
  observeSeconds(seconds: number): void;
  /** The page, with gauges read now. */
  render(gauges: Readonly<Record<GaugeName, number>>, labelled?: readonly LabelledGauge[]): string;
}

export interface LabelledGauge {
  readonly name: LabelledGaugeName;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const help = {
  holdpoint_calls_total: 'Calls by operation and HTTP status given to the workload (0: it had left).',
  holdpoint_rule_matches_total: 'Rules that matched, by rule and action.',
  holdpoint_rulings_total: 'Final rulings by status.',
  holdpoint_glass_broken_total: 'Releases by one person alone.',
  holdpoint_control_refused_total: 'Control calls refused, by code.',
  holdpoint_ledger_failures_total: 'Failed ledger writes.',
  holdpoint_anchor_failures_total: 'Times an anchor did not take note of a checkpoint, by anchor and code.',
  holdpoint_witness_requests_total: 'Checkpoints of peers handed to this witness, by HTTP status.',
  holdpoint_notifications_total:
    'Attempts to notify, by receiver and outcome; dead ones were given up, dropped ones forgotten.',
  holdpoint_erasures_total: 'Erasures that ended, by state and whether a schedule or a person asked.',
} as const;
export type MetricName = keyof typeof help;

const gaugeHelp = {
  holdpoint_calls_in_flight: 'Calls being served.',
  holdpoint_holds_pending: 'Holds that wait for a person.',
  holdpoint_hold_next_expiry_seconds:
    'Until the next of them expires, its call refused; +Inf where none waits.',
  holdpoint_reviews_open: 'Releases by one person alone that nobody else has reviewed.',
  holdpoint_reviews_overdue: 'Those of them whose time for a review is over.',
  holdpoint_ledger_entries: 'Entries sealed and durable.',
  holdpoint_ledger_writable: '1 while the ledger accepts entries.',
  holdpoint_erasures_pending: 'Erasures that run or wait.',
  holdpoint_erased_parts: 'Bodies erased since the start.',
  holdpoint_erased_bytes: 'Bytes overwritten by erasures since the start.',
  holdpoint_retention_entry: 'The entry that the erasure running now has looked at last; 0 without one.',
  holdpoint_notifications_pending: 'Notifications that wait for their receiver.',
  holdpoint_notifications_dead: 'Notifications that were given up and can be sent again.',
  process_resident_memory_bytes: 'Resident memory.',
} as const;
export type GaugeName = keyof typeof gaugeHelp;

const labelledGaugeHelp = {
  holdpoint_anchor_size: 'Entries that the anchor acknowledged.',
  holdpoint_anchor_lag_entries: 'Durable entries that the anchor has not acknowledged.',
  holdpoint_anchor_lag_seconds:
    'Every entry that was durable longer ago is acknowledged; +Inf before the first acknowledgement.',
} as const;
export type LabelledGaugeName = keyof typeof labelledGaugeHelp;

const bucketSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const seriesMax = 2_000;

export function createMetrics(): Metrics {
  const counters = new Map<string, { name: MetricName; labels: string; value: number }>();
  const buckets = new Array<number>(bucketSeconds.length + 1).fill(0);
  let sumSeconds = 0;
  // A series that is absent until the first failure cannot be alerted on.
  counters.set('holdpoint_ledger_failures_total', {
    name: 'holdpoint_ledger_failures_total',
    labels: '',
    value: 0,
  });
  return {
    count: (name, labels) => {
      const text = labelText(labels);
      const key = name + text;
      const series = counters.get(key);
      if (series !== undefined) series.value += 1;
      else if (counters.size < seriesMax) counters.set(key, { name, labels: text, value: 1 });
    },
    declare: (name, labels) => {
      const text = labelText(labels);
      if (!counters.has(name + text) && counters.size < seriesMax)
        counters.set(name + text, { name, labels: text, value: 0 });
    },
    observeSeconds: (seconds) => {
      let i = 0;
      while (i < bucketSeconds.length && seconds > (bucketSeconds[i] ?? 0)) i++;
      buckets[i] = (buckets[i] ?? 0) + 1;
      sumSeconds += seconds;
    },
    render: (gauges, labelled = []) =>
      [
        ...counterLines(counters),
        ...histogramLines(buckets, sumSeconds),
        ...gaugeLines(gauges),
        ...labelledGaugeLines(labelled),
        '',
      ].join('\n'),
  };
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function counterLines(
  counters: ReadonlyMap<string, { name: MetricName; labels: string; value: number }>,
): string[] {
  const names: readonly MetricName[] = [
    'holdpoint_calls_total',
    'holdpoint_rule_matches_total',
    'holdpoint_rulings_total',
    'holdpoint_glass_broken_total',
    'holdpoint_control_refused_total',
    'holdpoint_ledger_failures_total',
    'holdpoint_anchor_failures_total',
    'holdpoint_witness_requests_total',
    'holdpoint_notifications_total',
    'holdpoint_erasures_total',
  ];
  return names.flatMap((name) => [
    `# HELP ${name} ${help[name]}`,
    `# TYPE ${name} counter`,
    ...[...counters.values()]
      .filter((series) => series.name === name)
      .map((series) => `${name}${series.labels} ${series.value}`),
  ]);
}

function histogramLines(buckets: readonly number[], sumSeconds: number): string[] {
  const name = 'holdpoint_call_seconds';
  let total = 0;
  const lines = buckets.map((count, i) => {
    total += count;
    return `${name}_bucket{le="${bucketSeconds[i] ?? '+Inf'}"} ${total}`;
  });
  return [
    `# HELP ${name} Time from a call's first byte to the end of its answer, holds included.`,
    `# TYPE ${name} histogram`,
    ...lines,
    `${name}_sum ${sumSeconds}`,
    `${name}_count ${total}`,
  ];
}

function gaugeLines(gauges: Readonly<Record<GaugeName, number>>): string[] {
  const names: readonly GaugeName[] = [
    'holdpoint_calls_in_flight',
    'holdpoint_holds_pending',
    'holdpoint_hold_next_expiry_seconds',
    'holdpoint_reviews_open',
    'holdpoint_reviews_overdue',
    'holdpoint_ledger_entries',
    'holdpoint_ledger_writable',
    'holdpoint_erasures_pending',
    'holdpoint_erased_parts',
    'holdpoint_erased_bytes',
    'holdpoint_retention_entry',
    'holdpoint_notifications_pending',
    'holdpoint_notifications_dead',
    'process_resident_memory_bytes',
  ];
  return names.flatMap((name) => [
    `# HELP ${name} ${gaugeHelp[name]}`,
    `# TYPE ${name} gauge`,
    `${name} ${numberText(gauges[name])}`,
  ]);
}

function labelledGaugeLines(gauges: readonly LabelledGauge[]): string[] {
  const names: readonly LabelledGaugeName[] = [
    'holdpoint_anchor_size',
    'holdpoint_anchor_lag_entries',
    'holdpoint_anchor_lag_seconds',
  ];
  return names.flatMap((name) => {
    const series = gauges.filter((gauge) => gauge.name === name);
    if (series.length === 0) return [];
    return [
      `# HELP ${name} ${labelledGaugeHelp[name]}`,
      `# TYPE ${name} gauge`,
      ...series.map(({ labels, value }) => `${name}${labelText(labels)} ${numberText(value)}`),
    ];
  });
}

const numberText = (value: number): string => (value === Number.POSITIVE_INFINITY ? '+Inf' : String(value));
