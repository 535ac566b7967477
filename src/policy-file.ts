/**
 * The policy in force and the file it comes from. A change is taken whole or not at all: one that does not
 * load leaves the old policy in force, and both facts are sealed.
 */
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { sha256Hex } from './core/bytes.ts';
import { HoldpointError, messageOf } from './core/errors.ts';
import type { Ledger } from './ledger/ledger.ts';
import { loadPolicy } from './policy/compile.ts';
import type { Policy } from './policy/policy.ts';
import type { Logger } from './telemetry/logger.ts';

export interface PolicyFile {
  readonly current: () => Policy;
  /** Seals the policy in force and follows the file from then on. */
  attach(ledger: Ledger): Promise<void>;
  reload(): Promise<void>;
  close(): void;
}

/** Polled, because a ConfigMap is updated by swapping a link that file watchers do not follow. */
const pollEveryMs = 1_000;

/** Loads the policy; throws `policy_invalid` with file, line and what would be right. */
export function openPolicyFile(file: string, log: Logger): PolicyFile {
  let policy = loadPolicy(file, readPolicy(file));
  let ledger: Ledger | null = null;
  let refusedDigest = '';

  async function reload(): Promise<void> {
    if (ledger === null) return;
    const text = readPolicy(file);
    const digest = sha256Hex(text);
    if (digest === policy.digest || digest === refusedDigest) return;
    const parts = [{ name: 'source', bytes: Buffer.from(text) }];
    let next: Policy;
    try {
      next = loadPolicy(file, text);
    } catch (error) {
      refusedDigest = digest;
      log.error('policy refused; the old one stays in force', error);
      await ledger.seal({ type: 'policy', data: { digest, result: 'refused', version: '' }, parts }).durable;
      return;
    }
    // In force only once it is on disk: every judgement cites a policy that can be read back.
    await ledger.seal({ type: 'policy', data: { digest, result: 'loaded', version: next.version }, parts })
      .durable;
    policy = next;
    refusedDigest = '';
    log.info('policy loaded', { version: next.version, digest });
  }

  function onChange(): void {
    reload().catch((error: unknown) =>
      log.error('policy could not be reloaded; the old one stays in force', error),
    );
  }

  return {
    current: () => policy,
    attach: async (attached) => {
      ledger = attached;
      const { digest, version, source } = policy;
      const parts = [{ name: 'source', bytes: Buffer.from(source) }];
      await ledger.seal({ type: 'policy', data: { digest, result: 'loaded', version }, parts }).durable;
      watchFile(file, { interval: pollEveryMs, persistent: false }, onChange);
    },
    reload,
    close: () => unwatchFile(file, onChange),
  };
}

function readPolicy(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new HoldpointError(
      'policy_invalid',
      `The policy ${file} cannot be read: ${messageOf(error)}.`,
      'Name it in policy.file.',
      error,
    );
  }
}
