/** What must hold when the day is over, whatever happened when. Each check throws with the case that it is about. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { systemRandom } from '../../src/core/clock.ts';
import { HoldpointError } from '../../src/core/errors.ts';
import { decodeHttpMessage } from '../../src/core/http-message.ts';
import type { Entry, Outcome } from '../../src/ledger/entry.ts';
import { outcomesOf } from '../../src/ledger/head.ts';
import { decisionId } from '../../src/ledger/ids.ts';
import { createNativePrimitives } from '../../src/ledger/native-primitives.ts';
import { readBlocks, readPart } from '../../src/ledger/reader.ts';
import { loadKeys, retiredKeksIn } from '../../src/store/keys.ts';
import { openLedgerCopy } from '../../src/store/ledger-copy.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { amendedAmount, answerTo, type Case, needsConsent, readCase, rulingsDue } from './cases.ts';
import type { Day } from './day.ts';
import { holdpoint, keysOf } from './orders.ts';

/** One decision as the ledger tells it. Null is what was erased. */
export interface Told {
  readonly id: string;
  readonly asked: Pick<Case, 'number' | 'kind'> | null;
  answer: Buffer | null;
  readonly rulings: string[];
  held: boolean;
  outcome: Outcome | null;
}

/** All decisions of the day, by their id. */
export async function decisionsOf({ morning: { house } }: Day): Promise<ReadonlyMap<string, Told>> {
  const keysDir = join(house.dataDir, 'keys');
  const keks = [loadKeys(keysDir, false, systemRandom).kek, ...retiredKeksIn(keysDir)];
  const store = await openLedgerCopy(join(house.dataDir, 'ledger'));
  const told = new Map<number, Told>();
  const partOf = async (entry: Entry, name: string): Promise<Buffer | null> => {
    try {
      return decodeHttpMessage(await readPart(store, keks, entry.seq, name)).body;
    } catch (error) {
      if (!(error instanceof HoldpointError)) throw error;
      // Erased, which the verifier has checked: every part is stored or named by an erasure.
      return null;
    }
  };
  try {
    for await (const entries of readBlocks(store, { fromSeq: 0, reverse: false })) {
      for (const entry of entries) {
        if (entry.type === 'request') {
          const body = await partOf(entry, 'request');
          told.set(entry.seq, {
            id: decisionId(entry.ledger, entry.seq),
            asked: body === null ? null : readCase(body.toString()),
            answer: null,
            rulings: [],
            held: false,
            outcome: null,
          });
        }
        const decision = told.get(Number(entry.data['decision']));
        if (decision !== undefined && entry.type === 'response')
          decision.answer = await partOf(entry, 'response');
        if (decision !== undefined && entry.type === 'hold') decision.held = true;
        if (decision !== undefined && entry.type === 'ruling')
          decision.rulings.push(String(entry.data['verdict']));
        for (const [seq, outcome] of outcomesOf(entry.data)) {
          const closed = told.get(seq);
          if (closed?.outcome !== null) throw new Error(`decision ${seq} has two outcomes, or is none`);
          closed.outcome = outcome;
        }
      }
    }
  } finally {
    await store.close();
  }
  return new Map([...told.values()].map((one) => [one.id, one]));
}

/** The ledger verifies under its first key, with every checkpoint that was kept, every body opened, and every decision ended. */
export async function checkLedger(
  { morning: { house }, kept }: Day,
  told: ReadonlyMap<string, Told>,
): Promise<number> {
  const { dataDir } = house;
  const [trust = ''] = await keysOf(house);
  let size = 0;
  for (const checkpoint of [undefined, ...kept.checkpoints]) {
    const verdict = await verifyDirectory(dataDir, {
      trust,
      checkpoint,
      primitives: createNativePrimitives(),
    });
    if (!verdict.ok)
      throw new Error(`with ${checkpoint ?? 'no checkpoint'}: ${JSON.stringify(verdict.findings)}`);
    const unfinished = verdict.notes.find((note) => note.includes('have no last entry'));
    if (unfinished !== undefined) throw new Error(unfinished);
    const { stored, opened } = verdict.bodies;
    if (opened !== stored) throw new Error(`of ${stored} bodies ${opened} open`);
    if (verdict.keys.length < 1 + kept.rotations)
      throw new Error(`${verdict.keys.length} keys after ${kept.rotations} rotations`);
    size = verdict.size;
  }
  for (const { id, outcome, held } of told.values())
    if (outcome === null && !held) throw new Error(`decision ${id} has no outcome`);
  return size;
}

/** Everybody had what their case says, and only that. */
export function checkAnswers({ received, provider }: Day, told: ReadonlyMap<string, Told>): void {
  for (const { asked, status, decision, body } of received) {
    const its = told.get(decision);
    const about = `case ${asked.number} (${asked.kind}, ${decision}), answered ${status}: `;
    const fail = (what: string): never => {
      throw new Error(`${about}${what}\n${body.toString()}`);
    };
    if (its === undefined) throw new Error(`${about}that decision is not in the ledger`);
    if (its.asked !== null && its.asked.number !== asked.number)
      fail(`is sealed as case ${its.asked.number}`);
    // A held stream is kept alive with comments, which are nobody's answer.
    const text = body.toString().replace(/^:.*\n\n/gm, '');
    const word = its.rulings.at(-1);
    const expected = expectedOf(asked, word);
    if (!expected.status.includes(status)) fail(`expected ${expected.status} after ${word ?? 'no ruling'}`);
    if (expected.text !== null && text !== expected.text) fail(`expected ${expected.text}`);
    if (word === 'amend' && !text.includes(`\\"amount\\":${amendedAmount}`))
      fail('is not what the reviewer made of it');
    if (word === 'amend' && text.includes(String(asked.number))) fail('still has what the reviewer took out');
    if (word === 'deny' && text.includes('transfer_funds')) fail('lets out what was denied');
    if (expected.text !== null && its.answer !== null && its.answer.toString() !== expected.text)
      fail(`is sealed as ${its.answer.toString()}`);
    if (text.includes(String(asked.number)) && its.rulings.length < rulingsDue(asked))
      fail(`came after ${its.rulings.length} rulings`);
    if (asked.kind === 'forbidden' && provider.reached.has(asked.number)) fail('reached the provider');
  }
}

interface Expected {
  readonly status: readonly number[];
  /** Null where it is not what the provider sent. */
  readonly text: string | null;
}

function expectedOf(asked: Case, word: string | undefined): Expected {
  const text = answerTo(asked);
  if (asked.kind === 'forbidden') return { status: [403], text: null };
  if (asked.kind === 'broken') return { status: [502], text: null };
  if (asked.kind === 'failing') return { status: [500], text };
  if (asked.kind === 'plain' || asked.kind === 'stream') return { status: [200], text };
  if (word === 'release') return { status: [200], text };
  if (word === 'amend') return { status: [200], text: null };
  // The head of a stream has gone out before its call is denied, but to whoever comes back for it.
  return { status: asked.kind === 'streamed transfer' ? [200, 403] : [403], text: null };
}

/** What reached the provider is recorded, as often as it did, and what needed a release had one. */
export function checkProvider({ received, provider }: Day, told: ReadonlyMap<string, Told>): void {
  const [strange] = provider.strange;
  if (strange !== undefined) throw new Error(`the provider was asked what nobody asks: ${strange}`);
  const askedBy = new Map(received.map(({ decision, asked }) => [decision, asked]));
  const recorded = new Map<number, number>();
  let unknown = 0;
  for (const one of told.values()) {
    const asked = one.asked ?? askedBy.get(one.id) ?? null;
    if (asked === null) unknown += 1;
    else if (!needsConsent(asked) || one.rulings[0] === 'release')
      recorded.set(asked.number, (recorded.get(asked.number) ?? 0) + 1);
  }
  let beyond = 0;
  for (const [number, times] of provider.reached) beyond += Math.max(0, times - (recorded.get(number) ?? 0));
  // Which case an erased decision was about nobody can say any more.
  if (beyond > unknown)
    throw new Error(`${beyond} requests reached the provider unrecorded, ${unknown} are erased`);
}

/** Every erasure that was granted has its last entry, whatever was killed between the two. */
export async function checkErasures({ kept, morning: { house } }: Day): Promise<void> {
  const ended = new Set<unknown>();
  const store = await openLedgerCopy(join(house.dataDir, 'ledger'));
  try {
    for await (const entries of readBlocks(store, { fromSeq: 0, reverse: false }))
      for (const { data } of entries) if (data['final'] === true) ended.add(data['request']);
  } finally {
    await store.close();
  }
  for (const id of kept.erasures) if (!ended.has(id)) throw new Error(`the erasure ${id} was forgotten`);
}

/** Backups and exports, made while all that went on, are whole; the last backup becomes a ledger again. */
export async function checkCopies({ kept, morning: { house } }: Day): Promise<void> {
  for (const path of new Set([...kept.backups, ...kept.exports])) await holdpoint('verify', path);
  const last = kept.backups.at(-1);
  if (last === undefined) return;
  const elsewhere = mkdtempSync(join(tmpdir(), 'holdpoint-restored-'));
  try {
    const config = z.looseObject({}).parse(JSON.parse(readFileSync(house.configFile, 'utf8')));
    const file = join(elsewhere, 'holdpoint.yaml');
    const dir = join(elsewhere, 'data');
    writeFileSync(file, JSON.stringify({ ...config, data: { dir } }));
    cpSync(join(house.dataDir, 'keys'), join(dir, 'keys'), { recursive: true });
    await holdpoint('ledger', 'restore', last, '--config', file);
    await holdpoint('verify', dir);
  } finally {
    rmSync(elsewhere, { recursive: true, force: true });
  }
}
