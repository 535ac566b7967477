/**
 * A ledger of any size for the scale bench, made by the real sealing path: a year of decisions with tiny bodies, in
 * which some values are common and some are few whatever the size, so that a search has the same to find in each.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, systemClock, systemRandom } from '../../src/core/clock.ts';
import { recoveredOutcome } from '../../src/hold/record.ts';
import { type Ledger, openLedger } from '../../src/ledger/ledger.ts';
import { copyPlace } from '../../src/store/copy-place.ts';
import { openHighWater } from '../../src/store/high-water.ts';
import { loadKeys } from '../../src/store/keys.ts';
import { openLedgerCopy } from '../../src/store/ledger-copy.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';
import { isBegun, openLevelCache } from '../../src/store/level.ts';
import { startTableBytes, startTailBytes } from '../../src/store/start-checks.ts';

/** The first entry's time; the last is about a year later. */
export const firstMs = Date.parse('2025-11-01T00:00:00.000Z');
export const yearMs = 365 * 86_400_000;
/** Request and response; outcomes share entries. */
const entriesPerDecision = 2.004;
/** How many decisions have a value that is few. */
export const fewDecisions = 20;
export const fewModel = 'o3-few';
export const fewRule = 'few-rule';
export const fewWorkload = 'few-workload';
export const fewOutcome = 'upstream_truncated';
/** Few enough that blocks are as small as in a sidecar in use. */
const decisionsInFlightMax = 64;
const models = ['gpt-4.1', 'gpt-4.1-mini', 'claude-sonnet-4-5', 'gemini-2.5-pro', 'mistral-large'];
const policy = 'b'.repeat(64);

export interface SettableClock extends Clock {
  /** Milliseconds since the epoch, from now on. */
  set(ms: number): void;
}

export function settableClock(ms: number): SettableClock {
  let nowMs = ms;
  return {
    nowMs: () => nowMs,
    monoUs: systemClock.monoUs,
    set: (to) => {
      nowMs = to;
    },
  };
}

/** As the sidecar opens it, the copy that is checked first included. */
export function openScaleLedger(dir: string, clock: Clock): Promise<Ledger> {
  const isNew = !existsSync(join(dir, 'ledger'));
  mkdirSync(dir, { recursive: true });
  const keys = loadKeys(join(dir, 'keys'), isNew, systemRandom);
  const digest = '0'.repeat(64);
  return openLedger({
    openStore: () => openLedgerStore(join(dir, 'ledger')),
    openCopy: async () =>
      (await isBegun(join(dir, 'ledger')))
        ? openLedgerCopy(join(dir, 'ledger'), await copyPlace(dir), startTableBytes)
        : null,
    openIndexStore: () => openLevelCache(join(dir, 'index')),
    highWater: openHighWater(join(dir, 'high-water')),
    signingKey: keys.signingKey,
    kek: keys.kek,
    durability: 'relaxed',
    clock,
    random: systemRandom,
    tailBytesMin: startTailBytes,
    product: 'holdpoint bench',
    startData: { config: digest, node: process.version, policy: digest, product: 'holdpoint bench' },
    recoveredOutcome,
    onEvent: (event) => {
      if ('error' in event) throw event.error;
    },
  });
}

/** The fingerprint of a data subject by its number; each has about `fewDecisions` decisions. */
export function subjectOf(number: number): string {
  return createHash('sha256').update(`subject ${number}`).digest('hex').slice(0, 16);
}

/** Seals decisions until the ledger has so many entries; resolves when they are durable. */
export async function fill(ledger: Ledger, clock: SettableClock, entries: number): Promise<void> {
  const decisions = Math.ceil(entries / entriesPerDecision);
  const everyFew = Math.max(1, Math.floor(decisions / fewDecisions));
  const subjects = Math.max(1, Math.floor(decisions / 10 / fewDecisions));
  // One that was cut short goes on where it was.
  for (
    let i = Math.floor(ledger.durable().size / entriesPerDecision);
    ledger.durable().size < entries;
    i += 1
  ) {
    clock.set(firstMs + Math.floor((i * yearMs) / decisions));
    const durable = decide(ledger, i, i % everyFew === everyFew >> 1, subjects);
    if (i % decisionsInFlightMax === decisionsInFlightMax - 1 || i >= decisions) await durable;
  }
}

/** One decision with its outcome; resolves when its answer is durable. */
export function decide(ledger: Ledger, i: number, isFew: boolean, subjects: number): Promise<void> {
  const model = isFew ? fewModel : (models[i % models.length] ?? '');
  const rules = isFew ? [fewRule] : i % 50 === 0 ? ['large-answer'] : [];
  const request = ledger.seal({
    type: 'request',
    data: {
      bytes: 16,
      caller: '',
      method: 'POST',
      model,
      operation: 'chat.completions',
      path: '/v1/chat/completions',
      policy,
      provider: 'openai',
      rules,
      stream: false,
      upstream: 'openai',
      verdict: rules.length > 0 ? 'flag' : 'pass',
      workload: isFew ? fewWorkload : `workload-${i % 20}`,
      ...(i % 10 === 0 ? { subject: subjectOf((i / 10) % subjects) } : {}),
    },
    parts: [{ name: 'request', bytes: Buffer.from(String(i).padStart(16, '0')) }],
  });
  const { durable } = ledger.seal({
    type: 'response',
    data: {
      bytes: 0,
      decision: request.seq,
      elapsedUs: 1000,
      finish: 'stop',
      model,
      policy,
      result: 'ok',
      rules: [],
      status: 200,
      streamed: false,
      verdict: 'pass',
    },
  });
  ledger.settle(request.seq, isFew ? fewOutcome : 'delivered');
  return durable;
}
