/**
 * The policy in force and the file it comes from. A change is taken whole or not at all: one that does not
 * load leaves the old policy in force, and both facts are sealed.
 */
import { readFileSync, statSync } from 'node:fs';
import { sha256Hex } from './core/bytes.ts';
import { HoldpointError, messageOf, refusalOf } from './core/errors.ts';
import { createInTurn } from './core/in-turn.ts';
import type { Ledger } from './ledger/ledger.ts';
import { loadPolicy } from './policy/compile.ts';
import type { Policy } from './policy/policy.ts';
import type { Logger } from './telemetry/logger.ts';

export interface PolicyFile {
  readonly current: () => Policy;
  /** Seals the policy in force and follows the file from then on. */
  attach(ledger: Ledger): Promise<void>;
  /** Takes the file as it is: whoever asks says that it is whole. */
  reload(): Promise<void>;
  close(): void;
}

/**
 * Looked at again and again, because a ConfigMap is updated by swapping a link that file watchers do not
 * follow, and because a change that could not be sealed must be tried again.
 */
const lookEveryMs = 1_000;

/** The policy in a file as it is now; throws `policy_invalid`. `rulers` are the roles that its rules can ask for. */
export function loadPolicyFile(file: string, rulers: readonly string[]): Policy {
  return loadPolicy(file, readPolicy(file), rulers);
}

/** Loads the policy; throws `policy_invalid` with file, line and what would be right. `load` makes one of a text. */
export function openPolicyFile(
  file: string,
  rulers: readonly string[],
  log: Logger,
  load: typeof loadPolicy = loadPolicy,
): PolicyFile {
  // Before it is read: whoever changes it meanwhile has changed what is read next.
  let seenStamp = stampOf(file);
  /** Of the look before, where it was another than the one that is in force: then it may be written yet. */
  let changedStamp = seenStamp;
  let policy = load(file, readPolicy(file), rulers);
  let ledger: Ledger | null = null;
  let refusedDigest = '';
  /** Another policy than the one in force may have been sealed as loaded: whether it was could not be told. */
  let isDoubtful = false;
  let lastFailure = '';
  let timer: NodeJS.Timeout | undefined;
  const inTurn = createInTurn();

  async function readAgain(into: Ledger, isWhole: () => boolean): Promise<void> {
    const next = await changed(into, isWhole);
    if (next !== null) {
      await sealLoaded(into, next);
      policy = next;
      refusedDigest = '';
      log.info('policy loaded', { version: next.version, digest: next.digest });
    } else if (isDoubtful) await sealLoaded(into, policy);
  }

  /** What the file has by now; null where that is in force already, or refused and sealed as refused. */
  async function changed(into: Ledger, isWhole: () => boolean): Promise<Policy | null> {
    const text = readPolicy(file);
    if (!isWhole()) return null;
    const digest = sha256Hex(text);
    if (digest === refusedDigest) return null;
    if (digest === policy.digest) {
      // Otherwise the refusal would be the last that the log says of it.
      if (refusedDigest !== '') log.info('the policy file is the one in force again', { digest });
      refusedDigest = '';
      return null;
    }
    try {
      return load(file, text, rulers);
    } catch (error) {
      log.error('policy refused; the old one stays in force', error);
      const parts = [{ name: 'source', bytes: Buffer.from(text) }];
      await into.seal({ type: 'policy', data: { digest, result: 'refused', version: '' }, parts }).durable;
      refusedDigest = digest;
      return null;
    }
  }

  /** In force only once it is on disk: every judgement cites a policy that can be read back. */
  async function sealLoaded(into: Ledger, { digest, version, source }: Policy): Promise<void> {
    const parts = [{ name: 'source', bytes: Buffer.from(source) }];
    const { durable } = into.seal({ type: 'policy', data: { digest, result: 'loaded', version }, parts });
    isDoubtful = true;
    await durable;
    isDoubtful = false;
  }

  /** One at a time: a signal and a change of the file at once are one change. */
  function reload(isWhole: () => boolean): Promise<void> {
    const into = ledger;
    if (into === null) return Promise.resolve();
    return inTurn(() => readAgain(into, isWhole));
  }

  /** A change is taken when a second look finds it as it was: the beginning of a policy is one too, with fewer rules. */
  async function look(): Promise<void> {
    try {
      const stamp = stampOf(file);
      if (stamp === seenStamp && !isDoubtful) return;
      const isChanging = stamp !== seenStamp && stamp !== changedStamp;
      changedStamp = stamp;
      if (isChanging) return;
      await reload(() => stampOf(file) === stamp);
      seenStamp = stamp;
      lastFailure = '';
    } catch (error) {
      // Looked at again in a moment; said once, not every time.
      if (messageOf(error) !== lastFailure)
        log.error('policy could not be reloaded; the old one stays in force', error);
      lastFailure = messageOf(error);
    }
  }

  function lookLater(): void {
    if (ledger === null) return;
    timer = setTimeout(() => look().finally(lookLater), lookEveryMs);
    timer.unref();
  }

  return {
    current: () => policy,
    attach: async (attached) => {
      ledger = attached;
      await sealLoaded(attached, policy);
      lookLater();
    },
    reload: () => reload(() => true),
    close: () => {
      ledger = null;
      clearTimeout(timer);
    },
  };
}

/** Changes whenever the file may have: a swapped link leads to another inode. */
function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? 'none' : `${stat.dev}:${stat.ino}:${stat.mtimeNs}:${stat.size}`;
}

function readPolicy(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new HoldpointError(
      'policy_invalid',
      `The policy ${file} cannot be read: ${refusalOf(error)}.`,
      'Name it in policy.file.',
      error,
    );
  }
}
