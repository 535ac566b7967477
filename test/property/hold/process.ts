/** The sidecar as it stands on a disk: the real ledger, queue and pipeline, with its death in a test's hands. */
import type { Duplex } from 'node:stream';
import { HoldpointError } from '../../../src/core/errors.ts';
import { createDelegations, type Delegations } from '../../../src/hold/delegations.ts';
import { createHoldQueue, type HoldQueue } from '../../../src/hold/queue.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import type { PolicyFile } from '../../../src/policy-file.ts';
import { openai } from '../../../src/provider/openai/family.ts';
import type { Entrance } from '../../../src/proxy/intercept/entrance.ts';
import { createKeptAnswers } from '../../../src/proxy/kept-answers.ts';
import { createLetThrough } from '../../../src/proxy/let-through.ts';
import { listenProxy, type ProxyListener } from '../../../src/proxy/listener.ts';
import type { Upstream } from '../../../src/proxy/upstream.ts';
import { plainHouse } from '../../support/plain-house.ts';
import { expiresInMs } from './policies.ts';
import { isTold } from './rules-file.ts';
import { openStore, type Surroundings, silence } from './surroundings.ts';

export interface Process {
  readonly queue: HoldQueue;
  readonly delegations: Delegations;
  readonly ledger: Ledger;
  readonly proxy: ProxyListener;
  readonly policyFile: PolicyFile;
  /** As a signal does. */
  reloadRules(): void;
  /** Takes a workload's connection. */
  enter(socket: Duplex): void;
  /** What is sealed and not durable yet, and the reading again of what is held after an outage. */
  readonly pending: ReadonlySet<Promise<void>>;
  /** The ledger is being opened. */
  readonly isOpening: () => boolean;
  dead: boolean;
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
const startData = { config: 'a'.repeat(64), node: 'v24', product: 'holdpoint test' };
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
  const policyFile = around.rules.open(onError);
  const opened = await house.open({
    openStore: () => {
      openings += 1;
      return openStore(around, life);
    },
    clock: time.clock,
    startData: { ...startData, policy: policyFile.current().digest },
  });
  const ledger: Ledger = {
    ...opened,
    decision: async (seq, missing) => {
      await around.mayRead();
      return life.dead ? silence : opened.decision(seq, missing);
    },
    seal: (draft) => {
      if ((draft.type === 'ruling' || draft.type === 'delivery') && around.isFull())
        throw new HoldpointError('overloaded', 'Too much is being sealed.');
      const sealed = opened.seal(draft);
      if (!life.dead) around.onSeal(sealed.seq, policyFile.current().digest);
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
      if (!life.dead && !(error instanceof HoldpointError && passing.has(error.code))) onError(error);
    },
  };
  await policyFile.attach(ledger);
  const queue = createHoldQueue(common);
  await queue.restore();
  house.onEvent = ({ kind }) => {
    if (kind === 'opened' || kind === 'reopen_failed') openings -= 1;
    // As the sidecar does: the disk knows better than memory what was ruled.
    if (kind === 'opened' && !life.dead) track(queue.restore().then(around.onRestored, onError));
  };
  const roleOf = (name: string): string | null => (around.mayRule(name) ? 'reviewer' : null);
  const delegations = createDelegations({ ...common, roleOf });
  const plain = plainHouse(dayMs);
  const proxy = await listenProxy(
    { host: '127.0.0.1', port: 0 },
    {
      ...plain,
      ...common,
      holds: queue,
      policy: policyFile.current,
      forwarder: around.forwarder(() => life.dead),
      keptAnswers: createKeptAnswers(queue, common.onError),
      letThrough: createLetThrough(),
      upstreams,
      bounds: { ...plain.bounds, waitMsMax: 10 * expiresInMs },
    },
  );
  const enter = (socket: Duplex): void => proxy.accept(socket, entrance);
  const isOpening = (): boolean => openings > 0;
  const reloadRules = (): void => {
    policyFile.reload().catch((error: unknown) => {
      if (!isTold(error)) onError(error);
    });
  };
  return Object.assign(life, {
    ...{ queue, delegations, ledger, proxy, policyFile, pending },
    ...{ isOpening, enter, reloadRules },
  });
}
