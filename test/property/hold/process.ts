/** The sidecar as it stands on a disk: the real ledger, queue and pipeline, with its death in a test's hands. */
import type { Duplex } from 'node:stream';
import { HoldpointError } from '../../../src/core/errors.ts';
import { createDelegations, type Delegations } from '../../../src/hold/delegations.ts';
import { createHoldQueue, type HoldQueue } from '../../../src/hold/queue.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import type { LedgerStore } from '../../../src/ledger/store.ts';
import { openai } from '../../../src/provider/openai.ts';
import type { Forwarder } from '../../../src/proxy/forward.ts';
import type { Entrance } from '../../../src/proxy/intercept/entrance.ts';
import { createKeptAnswers } from '../../../src/proxy/kept-answers.ts';
import { listenProxy, type ProxyListener } from '../../../src/proxy/listener.ts';
import type { Upstream } from '../../../src/proxy/upstream.ts';
import type { LedgerUnderTest } from '../../fault/ledger-under-test.ts';
import type { ManualTime } from '../../support/time.ts';
import { expiresInMs, policy } from './rules.ts';

export interface Process {
  readonly queue: HoldQueue;
  readonly delegations: Delegations;
  readonly ledger: Ledger;
  readonly proxy: ProxyListener;
  /** Takes a workload's connection. */
  enter(socket: Duplex): void;
  /** What is sealed and not durable yet, and the reading again of what is held after an outage. */
  readonly pending: ReadonlySet<Promise<void>>;
  /** The ledger is being opened. */
  readonly isOpening: () => boolean;
  dead: boolean;
}

/** Where a process lives, and what it does not decide itself. */
export interface Surroundings {
  readonly house: LedgerUnderTest;
  readonly time: ManualTime;
  readonly forwarder: (isDead: () => boolean) => Forwarder;
  /** Resolves when the disk takes a commit. */
  readonly mayCommit: () => Promise<void> | undefined;
  /** Asked at each ruling, and each time that one is used: whether the ledger takes no more entries. */
  readonly isFull: () => boolean;
  readonly mayRule: (name: string) => boolean;
  readonly onError: (error: unknown) => void;
  /** After an outage of the ledger, once what it holds was read again. */
  readonly onRestored: () => void;
}

const upstreams: readonly Upstream[] = [
  { name: 'openai', origin: 'http://provider', basePath: '', mount: '/', protocol: openai },
];
/** The way in of connections that the listener did not accept itself. */
const entrance: Entrance = {
  admit: async () => upstreams,
  connect: () => Promise.reject(new Error('Nobody here asks for a tunnel.')),
};
/** What befalls the ledger here befalls whoever uses it. */
const passing: ReadonlySet<string> = new Set(['overloaded', 'ledger_unavailable']);
const mebibyte = 1024 * 1024;
const dayMs = 86_400_000;

export async function startProcess(around: Surroundings): Promise<Process> {
  const { house, time, onError } = around;
  const life = { dead: false };
  const pending = new Set<Promise<void>>();
  function track(task: Promise<void>): void {
    pending.add(task);
    const done = (): boolean => pending.delete(task);
    task.then(done, done);
  }
  let openings = 0;
  house.onEvent = ({ kind }) => {
    if (kind === 'opened' || kind === 'reopen_failed') openings -= 1;
  };
  const opened = await house.open({
    openStore: () => {
      openings += 1;
      return openStore(around, life);
    },
    clock: time.clock,
  });
  const ledger: Ledger = {
    ...opened,
    seal: (draft) => {
      if ((draft.type === 'ruling' || draft.type === 'delivery') && around.isFull())
        throw new HoldpointError('overloaded', 'Too much is being sealed.');
      const sealed = opened.seal(draft);
      track(sealed.durable);
      return sealed;
    },
  };
  const common = {
    ledger,
    clock: time.clock,
    schedule: (ms: number, fn: () => void) =>
      time.schedule(ms, () => {
        if (!life.dead) fn();
      }),
    onError: (_what: string, error: unknown): void => {
      if (!(error instanceof HoldpointError && passing.has(error.code))) onError(error);
    },
  };
  const queue = createHoldQueue(common);
  await queue.restore();
  house.onEvent = ({ kind }) => {
    if (kind === 'opened' || kind === 'reopen_failed') openings -= 1;
    // As the sidecar does: the disk knows better than memory what was ruled.
    if (kind === 'opened' && !life.dead) track(queue.restore().then(around.onRestored, onError));
  };
  const roleOf = (name: string): string | null => (around.mayRule(name) ? 'reviewer' : null);
  const delegations = createDelegations({ ...common, roleOf });
  const proxy = await listenProxy(
    { host: '127.0.0.1', port: 0 },
    {
      ...common,
      holds: queue,
      policy: () => policy,
      forwarder: around.forwarder(() => life.dead),
      openSpool: () => Promise.reject(new Error('Nothing here is too large for memory.')),
      keptAnswers: createKeptAnswers(queue, common.onError),
      upstreams,
      metrics: { callStarted: () => undefined, callEnded: () => undefined, matched: () => undefined },
      fingerprintKey: Buffer.alloc(32, 7),
      fingerprint: (secret) => `fingerprint of ${secret.length}`,
      workloadName: '',
      holdUrl: (id) => `http://control/${id}`,
      draining: new AbortController().signal,
      bounds: {
        ...{ requestBytesMax: mebibyte, batchBytesMax: mebibyte, responseBytesMax: mebibyte },
        ...{ decodedBytesMax: mebibyte, storedBytesMax: mebibyte, passedBytesMax: mebibyte },
        ...{ callerIdleMsMax: dayMs, connectMsMax: dayMs, socketIdleMsMax: dayMs },
        waitMsMax: 10 * expiresInMs,
      },
    },
  );
  const enter = (socket: Duplex): void => proxy.accept(socket, entrance);
  const isOpening = (): boolean => openings > 0;
  return Object.assign(life, { queue, delegations, ledger, proxy, pending, isOpening, enter });
}

/** A dead process writes nothing and hears of nothing, also where it died while it wrote. */
async function openStore(
  { house, mayCommit }: Surroundings,
  life: { readonly dead: boolean },
): Promise<LedgerStore> {
  const silence = new Promise<never>(() => undefined);
  if (life.dead) return silence;
  const store = await house.disk.open();
  return {
    ...store,
    commit: async (records, sync) => {
      await mayCommit();
      if (life.dead) return silence;
      await store.commit(records, sync).catch((error: unknown) => {
        if (!life.dead) throw error;
      });
      return life.dead ? silence : undefined;
    },
  };
}
