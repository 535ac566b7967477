/**
 * Rounds of load and SIGKILL on one data directory. After each kill the next start must find everything that
 * any caller was given, and the ledger whole.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemRandom } from '../../src/core/clock.ts';
import { decodeHttpMessage } from '../../src/core/http-message.ts';
import { startDemoProvider } from '../../src/demo/provider.ts';
import { outcomesOf } from '../../src/ledger/head.ts';
import { seqOfId } from '../../src/ledger/ids.ts';
import { readBlocks, readEntry, readPart } from '../../src/ledger/reader.ts';
import type { RecordStore } from '../../src/ledger/store.ts';
import { loadKeys } from '../../src/store/keys.ts';
import { openLedgerCopy } from '../../src/store/ledger-copy.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { type House, makeHouse, type SidecarProcess, startProcess } from './sidecar-process.ts';
import { bodyOf, type CallKind, call, type Received, releaseHolds } from './workload.ts';

export interface RoundsReport {
  rounds: number;
  /** Kills that left room behind the journal's frames. */
  withRoom: number;
  calls: number;
  received: number;
  released: number;
  entries: number;
  decisions: number;
  seconds: number;
}

/** Small fast generator (mulberry32), so that a printed seed replays the same kills. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const callers = 8;
const killAfterMsMax = 250;
/** The share of kills that do not wait for a first answer. */
const early = 0.2;
/** Two callers begin at such length that the journal makes room behind its frames: kills fall into that too. */
const lengthy = ', at length'.repeat(8_000);
/** A ledger is begun anew after so many rounds, so that verifying it whole after each stays quick. */
const roundsPerLedger = 20;
const kinds: readonly CallKind[] = ['plain', 'plain', 'stream', 'held', 'held stream'];

/** Runs the rounds; throws at the first thing that is not as it must be. */
export async function killRepeatedly(rounds: number, seed: number): Promise<RoundsReport> {
  const random = seeded(seed);
  const report = {
    rounds: 0,
    withRoom: 0,
    calls: 0,
    received: 0,
    released: 0,
    entries: 0,
    decisions: 0,
    seconds: 0,
  };
  const startedMs = performance.now();
  const provider = await startDemoProvider({ port: 0 });
  try {
    while (report.rounds < rounds) {
      const house = makeHouse(provider.url);
      const count = Math.min(roundsPerLedger, rounds - report.rounds);
      await killOnOneLedger(house, count, random, report);
      // Kept on failure, to be looked at.
      house.remove();
    }
  } finally {
    await provider.close();
  }
  report.seconds = Math.round((performance.now() - startedMs) / 100) / 10;
  return report;
}

async function killOnOneLedger(
  house: House,
  rounds: number,
  random: () => number,
  report: RoundsReport,
): Promise<void> {
  const received: Received[] = [];
  /** Held calls whose answer was not collected: their callers ask again after the restart. */
  let unanswered: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const sidecar = await startProcess(house);
    const before = received.slice();
    const answered = Promise.withResolvers<void>();
    const load = runLoad(sidecar, house, round, unanswered, received, report, answered.resolve);
    // Mostly in the midst of answers; now and then before the first.
    const begun = random() < early ? Promise.resolve() : answered.promise;
    const killing = begun.then(() => sleep(random() * killAfterMsMax)).then(() => sidecar.kill());
    await Promise.all([checkLedger(house, before), killing]);
    unanswered = await load;
    report.rounds += 1;
    if (hasRoom(house)) report.withRoom += 1;
  }
  const sidecar = await startProcess(house);
  let collected = false;
  const releasing = releaseHolds(house, sidecar, () => collected);
  for (const body of unanswered) {
    const answer = await call(sidecar.proxyUrl, body, 1);
    if (answer?.status === 200) received.push(answer);
  }
  collected = true;
  report.released += await releasing;
  const { code, stderr } = await sidecar.stop();
  if (code !== 0) throw new Error(`a clean stop ended with ${code}: ${stderr}`);
  const verdict = await checkLedger(house, received);
  report.received += received.length;
  report.entries += verdict.size;
  report.decisions += verdict.decisions.total;
  const holding = await openDecisionsWithHold(house);
  if (verdict.decisions.open !== holding)
    throw new Error(`${verdict.decisions.open} decisions are open, ${holding} of them held`);
}

function hasRoom({ dataDir }: House): boolean {
  const bytes = readFileSync(join(dataDir, 'ledger', 'journal-0000000001.hpj'));
  return bytes.subarray(-8).equals(Buffer.alloc(8));
}

/** Calls from all sides until the sidecar dies; resolves with the bodies of held calls nobody answered. */
async function runLoad(
  sidecar: SidecarProcess,
  house: House,
  round: number,
  again: readonly string[],
  received: Received[],
  report: RoundsReport,
  answered: () => void,
): Promise<string[]> {
  let dead = false;
  const unanswered = new Set(again);
  const waiting = [...again];
  const releasing = releaseHolds(house, sidecar, () => dead);
  const caller = async (index: number): Promise<void> => {
    for (let turn = 0; !dead; turn += 1) {
      const repeated = waiting.shift();
      const kind = kinds[(index + turn) % kinds.length] ?? 'plain';
      const body =
        repeated ?? bodyOf(kind, `${round}.${index}.${turn}${index < 2 && turn < 2 ? lengthy : ''}`);
      report.calls += 1;
      const answer = await call(sidecar.proxyUrl, body, repeated === undefined ? 0 : 1);
      if (answer === null) {
        dead = true;
        answered();
        if (kind.startsWith('held') && repeated === undefined) unanswered.add(body);
        return;
      }
      if (answer.status !== 200)
        throw new Error(`a call was refused with ${answer.status}: ${answer.body.toString()}`);
      received.push(answer);
      answered();
      unanswered.delete(body);
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, index) => caller(index)));
  report.released += await releasing;
  return [...unanswered];
}

/** Everything that was received is in the ledger byte for byte, and the ledger verifies with its keys. */
async function checkLedger(house: House, received: readonly Received[]) {
  const verdict = await verifyDirectory(house.dataDir, {});
  if (!verdict.ok)
    throw new Error(`the ledger in ${house.directory} does not verify: ${JSON.stringify(verdict.findings)}`);
  if (verdict.bodies.opened !== verdict.bodies.stored)
    throw new Error(`${verdict.bodies.stored - verdict.bodies.opened} bodies could not be opened`);
  await checkAnswers(house, received);
  return verdict;
}

/** Throws unless each answer is sealed under the decision it names, byte for byte. */
export async function checkAnswers(house: House, received: readonly Received[]): Promise<void> {
  const store = await openLedgerCopy(join(house.dataDir, 'ledger'));
  try {
    for (const answer of received) await checkAnswer(house, store, answer);
  } finally {
    await store.close();
  }
}

async function checkAnswer(house: House, store: RecordStore, { decision, body }: Received): Promise<void> {
  const { kek } = loadKeys(join(house.dataDir, 'keys'), false, systemRandom);
  const { ledger } = await readEntry(store, 0);
  const request = seqOfId('d', ledger, decision);
  if (request === null) throw new Error(`an answer names ${decision}, which is no decision of this ledger`);
  for (let seq = request + 1; ; seq += 1) {
    // Throws `not_found` at the ledger's end: then the answer that somebody has was never sealed.
    const entry = await readEntry(store, seq);
    if (entry.type !== 'response' || entry.data['decision'] !== request) continue;
    const message = decodeHttpMessage(await readPart(store, [kek], seq, 'response'));
    if (!message.body.equals(body))
      throw new Error(`the answer to ${decision} is not the one that was received`);
    return;
  }
}

/** How many decisions without an outcome have a hold that still waits for a ruling or its collection. */
async function openDecisionsWithHold(house: House): Promise<number> {
  const store = await openLedgerCopy(join(house.dataDir, 'ledger'));
  const open = new Map<number, boolean>();
  try {
    for await (const entries of readBlocks(store, { fromSeq: 0, reverse: false })) {
      for (const entry of entries) {
        if (entry.type === 'request') open.set(entry.seq, false);
        const decision = entry.data['decision'];
        if (entry.type === 'hold' && typeof decision === 'number') open.set(decision, true);
        for (const [closed] of outcomesOf(entry.data)) open.delete(closed);
      }
    }
  } finally {
    await store.close();
  }
  return [...open.values()].filter((held) => held).length;
}
