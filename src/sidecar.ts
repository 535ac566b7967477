/**
 * The composition root: configuration -> parts -> listeners -> drain. The only place that knows every part;
 * everything it builds takes plain options.
 */
import { createHmac } from 'node:crypto';
import type { Environment } from './config/environment.ts';
import { type LoadedConfig, loadConfig, parseAddress } from './config/load.ts';
import { type ControlListener, listenControl } from './control/server.ts';
import { createSummaries } from './control/view.ts';
import { type Schedule, systemClock, systemRandom, systemSchedule } from './core/clock.ts';
import { createRoleBook } from './core/roles.ts';
import { createErasureDesk, type ErasureDesk } from './erasure/desk.ts';
import { createDelegations, type Delegations } from './hold/delegations.ts';
import { createHoldQueue, type HoldQueue } from './hold/queue.ts';
import type { Ledger } from './ledger/ledger.ts';
import { notificationGauges, openNotifications } from './notifications.ts';
import type { Notifier } from './notify/notifier.ts';
import { type LedgerPlace, openConfiguredLedger } from './open-ledger.ts';
import { type OutsideMemory, openOutsideMemory } from './outside-memory.ts';
import { openPolicyFile, type PolicyFile } from './policy-file.ts';
import { createForwarder } from './proxy/forward.ts';
import type { House } from './proxy/house.ts';
import { createKeptAnswers } from './proxy/kept-answers.ts';
import { listenProxy, type ProxyListener } from './proxy/listener.ts';
import type { Upstream } from './proxy/upstream.ts';
import { type SignInOptions, signInOf } from './sign-in.ts';
import type { Keyring } from './store/keyring.ts';
import { openLedgerCopy } from './store/ledger-copy.ts';
import { openLedgerStore } from './store/ledger-store.ts';
import { copyPlace, writeBufferBytes } from './store/level.ts';
import { createSpools } from './store/spool.ts';
import { createLogger, type Logger } from './telemetry/logger.ts';
import { createMetrics, type Metrics } from './telemetry/metrics.ts';
import { openTokenBook, type TokenBook } from './token-book.ts';
import { erasureGauges, onErasureEnd, onLedgerEvent, reviewGauges } from './told.ts';
import { upstreamsOf } from './upstreams.ts';
import { openWaysIn, type WaysIn } from './ways-in.ts';

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

const fingerprintCacheMax = 4096;

/** What a sidecar takes from its machine: time and the place where the ledger lies. */
export interface Machine extends LedgerPlace {
  readonly schedule: Schedule;
}

const thisMachine: Machine = {
  clock: systemClock,
  schedule: systemSchedule,
  openLedgerStore,
  openLedgerCopy: async (dir, under) => openLedgerCopy(dir, await copyPlace(under), 8 * writeBufferBytes),
};

/** Starts a sidecar from a configuration file and the environment. Rejects with what is wrong; then nothing listens. */
export async function startSidecar(
  configFile: string,
  env: Environment,
  machine: Machine = thisMachine,
): Promise<Sidecar> {
  const { clock, schedule } = machine;
  const config = loadConfig(configFile, env);
  const upstreams = upstreamsOf(config, env, clock);
  const signIn = signInOf(config, env, clock);
  const log = createLogger(config.log.level);
  const metrics = createMetrics();
  const policyFile = openPolicyFile(config.paths.policy, createRoleBook(config.control.roles).rulers, log);
  let holds: HoldQueue | null = null;
  const { keys, keyring, ...opened } = await openConfiguredLedger(
    config,
    machine,
    policyFile.current().digest,
    (event) => onLedgerEvent(event, log, metrics, () => holds),
  );
  const { ledger } = opened;
  await policyFile.attach(ledger);

  const onError = (what: string, error: unknown): void => log.error(what, error);
  holds = createHoldQueue({ ledger, clock, schedule, onError });
  await holds.restore();
  const queue = holds;

  const outside = await openOutsideMemory({ config, env, ledger, clock, schedule, log, metrics }).catch(
    async (error: unknown) => {
      policyFile.close();
      holds?.stop();
      await opened.close('outside memory not available');
      throw error;
    },
  );

  const notifier = await starting(() =>
    openNotifications({ config, env, ledger, holds: queue, clock, schedule, log, metrics }),
  ).catch(async (error: unknown) => {
    policyFile.close();
    queue.stop();
    await outside.stop();
    await opened.close('notifications not available', outside.finish);
    throw error;
  });

  // Whoever is told of what is overdue listens by now.
  await queue.watchReviews();

  const tokens = await openTokenBook(config.paths.tokens, ledger, log);
  const { roleOf } = tokens;
  const delegations = createDelegations({ ledger, clock, schedule, roleOf, onError });

  const erasures = createErasureDesk({
    ledger,
    terms: config.retention,
    everyHours: config.retention.everyHours,
    clock,
    schedule,
    random: systemRandom,
    onEnd: (job) => onErasureEnd(job, log, metrics),
  });

  const parts = {
    config,
    upstreams,
    signIn,
    machine,
    ledger,
    outside,
    holds,
    delegations,
    notifier,
    erasures,
    tokens,
    policyFile,
    log,
    metrics,
    onError,
    keyring,
    fingerprintKey: keys.fingerprintKey,
  };
  let stopping: Promise<void> | null = null;
  async function closeLedger(reason: string): Promise<void> {
    policyFile.close();
    tokens.close();
    holds?.stop();
    delegations.stop();
    await notifier.stop();
    await outside.stop();
    await erasures.stop();
    await opened.close(reason, outside.finish);
  }
  const proxy = await startProxy(parts).catch(async (error: unknown) => {
    await closeLedger('proxy port not available');
    throw error;
  });
  const control = await startControl(parts, proxy.inFlight, () => stopping !== null).catch(
    async (error: unknown) => {
      proxy.waysIn.close();
      await proxy.listener.drain(0);
      await closeLedger('control port not available');
      throw error;
    },
  );
  log.info('ready', { proxy: proxy.listener.url, control: control.url, ledger: ledger.id });

  async function shutDown(reason: string): Promise<void> {
    policyFile.close();
    tokens.close();
    holds?.stop();
    proxy.waysIn.close();
    proxy.endStreams();
    await proxy.listener.drain(config.limits.drainMsMax);
    await proxy.keptAnswers.close();
    await control.close();
    await proxy.forwarder.close();
    await closeLedger(reason);
    log.info('stopped', { reason });
  }
  return {
    proxyUrl: proxy.listener.url,
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
}

/** What `start` throws becomes a rejection like any other. */
async function starting<T>(start: () => T): Promise<T> {
  return start();
}

interface Parts {
  readonly config: LoadedConfig;
  readonly upstreams: readonly Upstream[];
  readonly signIn: SignInOptions;
  readonly machine: Machine;
  readonly ledger: Ledger;
  readonly outside: OutsideMemory;
  readonly holds: HoldQueue;
  readonly delegations: Delegations;
  readonly notifier: Notifier;
  readonly erasures: ErasureDesk;
  readonly tokens: TokenBook;
  readonly policyFile: PolicyFile;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly onError: (what: string, error: unknown) => void;
  readonly keyring: Keyring;
  readonly fingerprintKey: Buffer;
}

async function startProxy(parts: Parts) {
  const { config, metrics } = parts;
  const { limits } = config;
  let inFlight = 0;
  const draining = new AbortController();
  const forwarder = createForwarder(
    {
      idleMsMax: limits.upstreamIdleMsMax,
      connectMsMax: limits.upstreamConnectMsMax,
      connectionsMax: limits.upstreamConnectionsMax,
      codedBytesMax: limits.responseBytesMax,
      decodedBytesMax: limits.decodedBytesMax,
    },
    parts.machine,
  );
  const house: House = {
    ledger: parts.outside.ledger,
    holds: parts.holds,
    policy: parts.policyFile.current,
    forwarder,
    openSpool: createSpools(config.paths.spoolDir, {
      bodyBytesMax: limits.passedBytesMax,
      totalBytesMax: limits.spoolBytesMax,
    }),
    keptAnswers: createKeptAnswers(parts.holds, parts.onError),
    upstreams: parts.upstreams,
    clock: parts.machine.clock,
    schedule: parts.machine.schedule,
    metrics: {
      callStarted: () => {
        inFlight += 1;
      },
      callEnded: (operation, status, seconds) => {
        inFlight -= 1;
        metrics.count('holdpoint_calls_total', { operation, status: String(status) });
        metrics.observeSeconds(seconds);
      },
      matched: (rule, action) => metrics.count('holdpoint_rule_matches_total', { rule, action }),
    },
    onError: parts.onError,
    fingerprintKey: parts.fingerprintKey,
    fingerprint: cachedFingerprint(parts.fingerprintKey),
    workloadName: config.workload.name,
    draining: draining.signal,
    bounds: {
      requestBytesMax: limits.requestBytesMax,
      batchBytesMax: limits.batchBytesMax,
      responseBytesMax: limits.responseBytesMax,
      decodedBytesMax: limits.decodedBytesMax,
      storedBytesMax: limits.storedBytesMax,
      passedBytesMax: limits.passedBytesMax,
      callerIdleMsMax: limits.callerIdleMsMax,
      waitMsMax: limits.waitMsMax,
      connectMsMax: limits.upstreamConnectMsMax,
      socketIdleMsMax: limits.upstreamIdleMsMax,
    },
  };
  const listener: ProxyListener = await listenProxy(parseAddress(config.proxy.listen), house);
  const waysIn = await openWaysIn(config, house, listener, parts.machine.clock).catch(
    async (error: unknown) => {
      await listener.drain(0);
      throw error;
    },
  );
  return {
    listener,
    forwarder,
    waysIn,
    keptAnswers: house.keptAnswers,
    inFlight: () => inFlight,
    endStreams: () => draining.abort(),
  };
}

function startControl(
  parts: Parts,
  inFlight: () => number,
  isStopping: () => boolean,
): Promise<ControlListener> {
  const { config, ledger, outside, holds, metrics } = parts;
  holds.subscribe(({ kind, hold }) => {
    if (kind === 'ruled') metrics.count('holdpoint_rulings_total', { status: hold.state.status });
    if (kind === 'glass-broken') metrics.count('holdpoint_glass_broken_total', {});
  });
  // A series that is absent until the first time cannot be alerted on.
  metrics.declare('holdpoint_glass_broken_total', {});
  const gauges = () => ({
    holdpoint_calls_in_flight: inFlight(),
    holdpoint_holds_pending: holds.list().filter((hold) => hold.state.status === 'pending').length,
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
      schedule: parts.machine.schedule,
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
      fingerprint: cachedFingerprint(parts.fingerprintKey),
      keyring: parts.keyring,
      policy: parts.policyFile.current,
      summaryOf: createSummaries(ledger),
      clock: parts.machine.clock,
      callsInFlight: inFlight,
      roles: createRoleBook(config.control.roles),
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

/** A workload sends the same few credentials with every call. */
function cachedFingerprint(key: Buffer): (secret: string) => string {
  const known = new Map<string, string>();
  return (secret) => {
    const kept = known.get(secret);
    if (kept !== undefined) return kept;
    const made = createHmac('sha256', key).update(secret).digest('hex').slice(0, 16);
    if (known.size >= fingerprintCacheMax) known.clear();
    known.set(secret, made);
    return made;
  };
}
