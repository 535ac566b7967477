/** The control plane put together: what people and programs reach, and what metrics tell of it. */
import { parseAddress } from './config/load.ts';
import { createSummaries } from './control/hold-summaries.ts';
import { type ControlListener, listenControl } from './control/server.ts';
import { systemRandom } from './core/clock.ts';
import { createPeople } from './core/people.ts';
import { createRoleBook } from './core/roles.ts';
import { notificationGauges } from './notifications.ts';
import type { Parts } from './parts.ts';
import { declareAlarms, erasureGauges, holdGauges, reviewGauges } from './told.ts';

/** Listens for people and programs. Rejects with `config_invalid` where the address is taken. */
export function startControlPlane(
  parts: Parts,
  inFlight: () => number,
  isStopping: () => boolean,
): Promise<ControlListener> {
  const { config, ledger, outside, holds, metrics } = parts;
  holds.subscribe(({ kind, hold }) => {
    if (kind === 'ruled') metrics.count('holdpoint_rulings_total', { status: hold.state.status });
    if (kind === 'glass-broken') metrics.count('holdpoint_glass_broken_total', {});
  });
  declareAlarms(metrics);
  const gauges = () => ({
    holdpoint_calls_in_flight: inFlight(),
    ...holdGauges(holds, parts.clock.nowMs()),
    ...reviewGauges(holds),
    holdpoint_ledger_entries: ledger.durable().size,
    holdpoint_ledger_writable: ledger.isWritable() ? 1 : 0,
    ...erasureGauges(parts.erasures),
    ...notificationGauges(parts.notifier),
    process_resident_memory_bytes: process.memoryUsage.rss(),
  });
  return listenControl(
    {
      ...parseAddress(config.control.listen),
      hostNames: config.control.hosts,
      tokens: parts.tokens,
      ...parts.signIn,
      schedule: parts.schedule,
      random: systemRandom,
      onRefused: (code) => metrics.count('holdpoint_control_refused_total', { code }),
    },
    {
      ledger,
      holds,
      erasures: parts.erasures,
      notifier: parts.notifier,
      delegations: parts.delegations,
      roleOf: parts.tokens.roleOf,
      fingerprint: parts.fingerprint,
      keyring: parts.keyring,
      policy: parts.policyFile.current,
      summaryOf: createSummaries(ledger),
      clock: parts.clock,
      callsInFlight: inFlight,
      roles: createRoleBook(config.control.roles),
      otherNames: createPeople(config.control.people),
      rulings: config.control.rulings,
      withdrawnKeys: new Set(),
      metricsPage: () => metrics.render(gauges(), outside.gauges()),
      // Not ready while it drains, so that nobody sends it new calls.
      notReady: () => {
        if (isStopping()) return 'stopping';
        return ledger.isWritable() ? outside.notAnchored() : 'the ledger cannot be written';
      },
      onError: parts.onError,
    },
  );
}
