/**
 * The alerts for Prometheus: that a sidecar shows what they look at from its start, and what each waits for, by
 * Prometheus' own tool.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { type House, startHouse } from '../contract/support/sidecar.ts';
import { type Family, parsePrometheus } from '../unit/telemetry/prometheus.ts';

const rulesFile = fileURLToPath(new URL('../../config/alerts.yaml', import.meta.url));
const rulesSchema = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string(),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.strictObject({ severity: z.enum(['warning', 'critical']) }),
          annotations: z.strictObject({ summary: z.string(), description: z.string() }),
        }),
      ),
    }),
  ),
});
const { groups } = rulesSchema.parse(parse(readFileSync(rulesFile, 'utf8')));
const rules = groups.flatMap((group) => group.rules);

const isThere = spawnSync('promtool', ['--version']).status === 0;

describe('a sidecar that has just started', () => {
  let house: House;
  let page: Map<string, Family>;
  beforeAll(async () => {
    const vault = mkdtempSync(join(tmpdir(), 'anchors-'));
    const to = { vault: { kind: 'file', path: join(vault, 'holdpoint.anchors') } };
    house = await startHouse({ settings: { anchors: { to } } });
    page = parsePrometheus((await house.call('/metrics')).text);
  });
  afterAll(() => house.close());

  it.skipIf(!isThere)('has a page with which Prometheus finds nothing wrong', async () => {
    const { text } = await house.call('/metrics');
    const lint = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    expect([lint.status, lint.stdout, lint.stderr]).toEqual([0, '', '']);
  });

  it.each(rules)('shows what $alert looks at', ({ expr }) => {
    const selected = [...expr.matchAll(/(holdpoint_\w+)(?:\{(.*?)\})?/g)];
    expect(selected).not.toEqual([]);
    for (const [, name = '', matchers = ''] of selected) {
      const labels = [...matchers.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, value]) => [label, value]);
      const shown = page.get(name);
      expect(shown, name).toBeDefined();
      // What counts from its first time on cannot be seen to rise to it.
      if (labels.length > 0 || expr.includes('increase'))
        expect(shown?.samples, name).toContainEqual(
          expect.objectContaining({ labels: expect.objectContaining(Object.fromEntries(labels)), value: 0 }),
        );
    }
  });
});

const seriesOf = (name: string, labels = ''): string =>
  `${name}{instance="a"${labels === '' ? '' : `,${labels}`}}`;

/** A minute each. `quiet` is how the series goes where all is well, `alarming` where the alert is due after `dueMin`. */
const cases = [
  {
    alert: 'HoldpointLedgerNotWritable',
    series: seriesOf('holdpoint_ledger_writable'),
    quiet: '1x30 0 1x30',
    alarming: '1x5 0x10',
    dueMin: 8,
    labels: {},
  },
  {
    alert: 'HoldpointLedgerFailing',
    series: seriesOf('holdpoint_ledger_failures_total'),
    quiet: '2x60',
    alarming: '0x5 1x10',
    dueMin: 8,
    labels: {},
  },
  {
    alert: 'HoldpointAnchorContradicts',
    series: seriesOf('holdpoint_anchor_failures_total', 'anchor="vault",code="anchor_contradicts"'),
    quiet: '0x60',
    alarming: '0x5 1x10',
    dueMin: 8,
    labels: { anchor: 'vault', code: 'anchor_contradicts' },
  },
  {
    alert: 'HoldpointAnchorBehind',
    series: seriesOf('holdpoint_anchor_lag_seconds', 'anchor="vault"'),
    quiet: '61x30 1000x5 61x30',
    alarming: '1000x20',
    dueMin: 12,
    labels: { anchor: 'vault' },
  },
  {
    alert: 'HoldpointHoldExpires',
    series: seriesOf('holdpoint_hold_next_expiry_seconds'),
    quiet: '900x60',
    alarming: '300-60x5',
    dueMin: 4,
    labels: {},
  },
  {
    alert: 'HoldpointHoldsExpired',
    series: seriesOf('holdpoint_rulings_total', 'status="expired"'),
    quiet: '3x60',
    alarming: '0x5 1x10',
    dueMin: 8,
    labels: { status: 'expired' },
  },
  {
    alert: 'HoldpointGlassBroken',
    series: seriesOf('holdpoint_glass_broken_total'),
    quiet: '1x60',
    alarming: '0x5 1x10',
    dueMin: 8,
    labels: {},
  },
  {
    alert: 'HoldpointReviewOverdue',
    series: seriesOf('holdpoint_reviews_overdue'),
    quiet: '0x60',
    alarming: '1x10',
    dueMin: 8,
    labels: {},
  },
  {
    alert: 'HoldpointErasureFailed',
    series: seriesOf('holdpoint_erasures_total', 'asked="schedule",state="failed"'),
    quiet: '1x60',
    alarming: '0x5 1x10',
    dueMin: 8,
    labels: {},
  },
  {
    alert: 'HoldpointNotificationsDead',
    series: seriesOf('holdpoint_notifications_dead'),
    quiet: '0x30 1x3 0x30',
    alarming: '2x10',
    dueMin: 8,
    labels: {},
  },
  {
    alert: 'HoldpointProviderFailing',
    series: seriesOf('holdpoint_calls_total', 'operation="chat.completions",status="502"'),
    quiet: '0+60x60',
    alarming: '0+600x60',
    dueMin: 20,
    labels: {},
  },
  {
    alert: 'HoldpointTokensTried',
    series: seriesOf('holdpoint_control_refused_total', 'code="unauthenticated"'),
    quiet: '0+4x60',
    alarming: '0+10x60',
    dueMin: 20,
    labels: { code: 'unauthenticated' },
  },
] as const;
/** Beside it: a thousand calls a minute that were answered. */
const answered = {
  series: seriesOf('holdpoint_calls_total', 'operation="chat.completions",status="200"'),
  values: '0+1000x60',
};

describe.skipIf(!isThere)(
  `Prometheus (${isThere ? 'promtool' : 'missing: Debian’s package prometheus'})`,
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'alerts-'));
    afterAll(() => rmSync(directory, { recursive: true, force: true }));

    /** What promtool finds of rules and tests over series. Rejects with what it says where one fails. */
    async function promtool(args: readonly string[]): Promise<string> {
      const { stdout } = await promisify(execFile)('promtool', [...args], { cwd: directory });
      return stdout;
    }

    it('takes the file', async () => {
      expect(await promtool(['check', 'rules', rulesFile])).toContain(`${rules.length} rules found`);
    });

    it('has a case for each alert', () => {
      expect(cases.map(({ alert }) => alert)).toEqual(rules.map(({ alert }) => alert));
    });

    it.each(cases)('raises $alert when it is due, and not while all is well', async (one) => {
      const rule = rules.find(({ alert }) => alert === one.alert);
      // What a person is told is not compared.
      const bare = { groups: [{ name: 'bare', rules: [{ ...rule, annotations: undefined }] }] };
      writeFileSync(join(directory, 'rules.json'), JSON.stringify(bare));
      const about = (values: string, minutes: number, expected: readonly object[]) => ({
        interval: '1m',
        input_series: [{ series: one.series, values }, answered],
        alert_rule_test: [{ eval_time: `${minutes}m`, alertname: one.alert, exp_alerts: expected }],
      });
      const raised = { exp_labels: { instance: 'a', severity: rule?.labels.severity, ...one.labels } };
      const quiet = [1, 20, 31, 34, 60].map((minute) => about(one.quiet, minute, []));
      const tests = [...quiet, about(one.alarming, one.dueMin, [raised])];
      const file = { rule_files: ['rules.json'], evaluation_interval: '1m', tests };
      writeFileSync(join(directory, 'tests.json'), JSON.stringify(file));
      expect(await promtool(['test', 'rules', 'tests.json'])).toContain('SUCCESS');
    });
  },
);
