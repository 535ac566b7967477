/**
 * The composition root: configuration -> parts -> listeners -> drain. Together with the two planes the only place
 * that knows every part; everything it builds takes plain options.
 */
import type { Environment } from './config/environment.ts';
import { loadConfig } from './config/load.ts';
import type { ControlListener } from './control/server.ts';
import { startControlPlane } from './control-plane.ts';
import { type Schedule, systemClock, systemRandom, systemSchedule } from './core/clock.ts';
import { createEndings, type Endings } from './core/endings.ts';
import { collectAll } from './core/garbage.ts';
import { createRoleBook } from './core/roles.ts';
import { startDataPlane } from './data-plane.ts';
import { createErasureDesk } from './erasure/desk.ts';
import { cachedFingerprint } from './fingerprint.ts';
import { createDelegations } from './hold/delegations.ts';
import { createHoldQueue, type HoldQueue } from './hold/queue.ts';
import type { Ledger } from './ledger/ledger.ts';
import { openNotifications } from './notifications.ts';
import { type LedgerPlace, openConfiguredLedger } from './open-ledger.ts';
import { type OutsideMemory, openOutsideMemory } from './outside-memory.ts';
import type { Parts } from './parts.ts';
import { openPolicyFile } from './policy-file.ts';
import { type LookUp, systemLookUp } from './proxy/intercept/address.ts';
import { signInOf } from './sign-in.ts';
import { copyPlace } from './store/copy-place.ts';
import { openErasureOrders } from './store/erasure-orders.ts';
import { openLedgerCopy } from './store/ledger-copy.ts';
import { openLedgerStore } from './store/ledger-store.ts';
import { startTableBytes } from './store/start-checks.ts';
import { createLogger, type Logger } from './telemetry/logger.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { openTokenBook } from './token-book.ts';
import { onErasureEnd, onLedgerEvent } from './told.ts';
import { upstreamsOf } from './upstreams.ts';
import { wayOutOf } from './way-out.ts';
import type { WaysIn } from './ways-in.ts';

export interface Sidecar {
  readonly proxyUrl: string;
  /** The ways in besides base URLs; closed with the rest. */
  readonly waysIn: Omit<WaysIn, 'close'>;
  readonly controlUrl: string;
  /** The witness it is for others; nulls when it is none. */
  readonly witness: Pick<OutsideMemory, 'witnessUrl' | 'witnessKey'>;
  readonly ledger: Ledger;
  /** Takes no more calls, lets running ones end, seals `stop` and closes. Holds are kept. */
  stop(reason: string): Promise<void>;
  /** Reads the policy file again, as SIGHUP does. */
  reloadPolicy(): Promise<void>;
}

/** What a sidecar takes from its machine: time, the addresses of names and the place where the ledger lies. */
export interface Machine extends LedgerPlace {
  readonly schedule: Schedule;
  readonly lookUp: LookUp;
}

/** Reading so many holds again leaves tens of megabytes behind, for as long as nobody calls. */
const manyHolds = 1_000;

const thisMachine: Machine = {
  clock: systemClock,
  schedule: systemSchedule,
  lookUp: systemLookUp,
  openLedgerStore,
  openLedgerCopy: async (dir, under) => openLedgerCopy(dir, await copyPlace(under), startTableBytes),
};

/** Starts a sidecar from a configuration file and the environment. Rejects with what is wrong; then nothing of it runs. */
export async function startSidecar(
  configFile: string,
  env: Environment,
  machine: Machine = thisMachine,
): Promise<Sidecar> {
  const config = loadConfig(configFile, env);
  const log = createLogger(config.log.level);
  const endings = createEndings();
  let stopping: Promise<void> | null = null;
  try {
    const parts = await assemble(config, env, machine, log, endings);
    let control: ControlListener | null = null;
    // It says "stopping" while the data plane drains: it ends after it.
    endings.add(() => control?.close());
    const proxy = await startDataPlane(parts, () => config.control.publicUrl ?? nearby(control?.url ?? ''));
    /** Running calls have it when all of it stops; a start that fails has none. */
    let graceMs = 0;
    endings.add(() => proxy.close(graceMs));
    control = await startControlPlane(parts, proxy.inFlight, () => stopping !== null);
    const { ledger, policyFile, tokens, holds, outside } = parts;
    log.info('ready', { proxy: proxy.url, control: control.url, ledger: ledger.id });

    const shutDown = async (reason: string): Promise<void> => {
      policyFile.close();
      tokens.close();
      // Who waits for a person is told to come again, and what runs has its time.
      holds.stop();
      graceMs = config.limits.drainMsMax;
      await endings.run(reason);
      log.info('stopped', { reason });
    };
    return {
      proxyUrl: proxy.url,
      waysIn: proxy.waysIn,
      controlUrl: control.url,
      witness: outside,
      ledger,
      stop: (reason) => {
        stopping ??= shutDown(reason);
        return stopping;
      },
      reloadPolicy: () => policyFile.reload(),
    };
  } catch (error) {
    await endings.run('could not start').catch((also: unknown) => log.error('Not all of it could end', also));
    throw error;
  }
}

/** A listener on every address of this machine, as what runs beside it reaches it. */
function nearby(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}

/** Opens the ledger and builds what stands on it, in the order in which one needs another. */
async function assemble(
  config: Parts['config'],
  env: Environment,
  machine: Machine,
  log: Logger,
  endings: Endings,
): Promise<Parts> {
  const { clock, schedule, lookUp } = machine;
  const upstreams = await upstreamsOf(config, env, clock);
  const egress = wayOutOf(config, env, clock);
  const signIn = signInOf(config, env, egress, clock);
  const metrics = createMetrics();
  const onError = (what: string, error: unknown): void => log.error(what, error);
  const policyFile = openPolicyFile(config.paths.policy, createRoleBook(config.control.roles).rulers, log);
  endings.add(policyFile.close);

  let queue: HoldQueue | null = null;
  let memory: OutsideMemory | null = null;
  const { ledger, keys, keyring, close } = await openConfiguredLedger(
    config,
    machine,
    policyFile.current().digest,
    (event) => onLedgerEvent(event, log, metrics, () => queue),
  );
  endings.add((reason) => close(reason, async () => memory?.finish()));
  await policyFile.attach(ledger);

  const holds = createHoldQueue({ ledger, clock, schedule, onError });
  queue = holds;
  endings.add(holds.stop);
  await holds.restore();
  if (holds.list().length >= manyHolds) collectAll();

  const outside = await openOutsideMemory({ config, env, egress, ledger, clock, schedule, log, metrics });
  memory = outside;
  endings.add(outside.stop);
  const told = { config, env, egress, ledger, holds, clock, schedule, log, metrics };
  const notifier = await openNotifications(told);
  endings.add(notifier.stop);
  // Whoever is told of what is overdue listens by now.
  await holds.watchReviews();

  const tokens = await openTokenBook(config.paths.tokens, ledger, log);
  endings.add(tokens.close);
  const delegations = createDelegations({ ledger, clock, schedule, roleOf: tokens.roleOf, onError });
  endings.add(delegations.stop);
  const erasures = createErasureDesk({
    ledger,
    terms: config.retention,
    everyHours: config.retention.everyHours,
    clock,
    schedule,
    random: systemRandom,
    orders: openErasureOrders(config.paths.erasures),
    onEnd: (job) => onErasureEnd(job, log, metrics),
    onError,
  });
  endings.add(erasures.stop);
  return {
    ...{
      config,
      upstreams,
      egress,
      signIn,
      clock,
      schedule,
      lookUp,
      ledger,
      outside,
      holds,
      delegations,
      notifier,
      erasures,
    },
    ...{ tokens, policyFile, metrics, log, onError, keyring },
    fingerprint: cachedFingerprint(keys.fingerprintKey),
    fingerprintKey: keys.fingerprintKey,
  };
}
