/**
 * Those who work on the sidecar while it serves: one office changes keys and rules, erases and places legal holds, the
 * other keeps checkpoints, proves entries, backs up, exports and lets guests in. What a kill cuts off is left undone.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { subjects } from './callers.ts';
import { type Morning, policyText } from './morning.ts';
import { holdpoint, keysOf, order, unlessKilled } from './orders.ts';

/** What the officers left for whoever checks the day. */
export interface Kept {
  /** Files of signed notes. */
  readonly checkpoints: string[];
  /** Directories of backups, and files of exports. */
  readonly backups: string[];
  readonly exports: string[];
  /** Erasures that were granted. */
  readonly erasures: string[];
  rotations: number;
  epochs: number;
  proofs: number;
  rulings: number;
}

const lookEveryMs = 10;
/** The share of erasures that are granted and killed. */
const cutOff = 0.5;
/** Beyond all those of the day. */
const lastTurn = 1_000_000;

type Duty = (day: Morning, turn: number, kept: Kept) => Promise<void>;
export const offices: readonly (readonly Duty[])[] = [
  [changeKey, changeEpoch, changeRules, erase, holdBack],
  [keepCheckpoint, prove, backUp, exportAll, grant],
];

/** Does one thing after the other until the day is over. */
export async function keepOffice(
  day: Morning,
  duties: readonly Duty[],
  isOver: () => boolean,
  kept: Kept,
): Promise<void> {
  for (let turn = 0; !isOver(); turn += 1) {
    const duty = duties[Math.floor(day.random() * duties.length)];
    if (duty !== undefined) await unlessKilled(day, () => duty(day, turn, kept));
  }
}

async function changeKey(day: Morning, _turn: number, kept: Kept): Promise<void> {
  await order(day, 'admin', '/api/v1/keys', { action: 'rotate', reason: 'due' });
  kept.rotations += 1;
}

async function changeEpoch(day: Morning, _turn: number, kept: Kept): Promise<void> {
  await order(day, 'admin', '/api/v1/keys', { action: 'epoch', reason: 'due' });
  kept.epochs += 1;
}

async function changeRules(day: Morning, turn: number): Promise<void> {
  const version = turn + 1;
  const file = join(day.house.directory, 'policy.yaml');
  writeFileSync(`${file}.next`, policyText(version));
  renameSync(`${file}.next`, file);
  const shown = z.object({ version: z.string() });
  while (shown.parse(await order(day, 'auditor', '/api/v1/policy')).version !== `day-${version}`)
    await sleep(lookEveryMs);
}

const erasureSchema = z.object({
  id: z.string(),
  state: z.string(),
  erased: z.number(),
  error: z.string().nullable(),
});

/** Asked for and not waited for: it has its time until the end of the day. */
async function erase(day: Morning, _turn: number, kept: Kept): Promise<void> {
  const scope = { subject: `subject-${Math.floor(day.random() * subjects)}` };
  kept.erasures.push((await askToErase(day, scope.subject)).id);
  // It is over in a moment, which few other kills meet.
  if (day.random() < cutOff) await day.startAgain(true);
}

async function askToErase(day: Morning, subject: string) {
  const asked = { basis: 'objection', reason: 'as asked', scope: { subject } };
  return erasureSchema.parse(await order(day, 'privacy', '/api/v1/erasures', asked));
}

/** Resolves when it has ended, in whichever run of the sidecar; null where it ended in one before this. */
async function endOf(day: Morning, id: string) {
  for (;;) {
    const shown = await order(day, 'privacy', `/api/v1/erasures/${id}`, undefined, 404);
    if (shown === null) return null;
    const erasure = erasureSchema.parse(shown);
    if (erasure.state === 'failed') throw new Error(`the erasure ${id} failed: ${erasure.error}`);
    if (erasure.state === 'done') return erasure;
    await sleep(lookEveryMs);
  }
}

/** In the evening everything is done once more, in peace, and every erasure that was granted ends. */
export async function closeOffices(day: Morning, kept: Kept): Promise<void> {
  for (const duty of offices.flat()) await duty(day, lastTurn, kept);
  for (const id of kept.erasures) await endOf(day, id);
}

/** Under a legal hold an erasure ends with nothing erased. */
async function holdBack(day: Morning): Promise<void> {
  const scope = { subject: `subject-${Math.floor(day.random() * subjects)}` };
  const placed = await order(day, 'privacy', '/api/v1/legal-holds', { reason: 'a claim', scope });
  const { id } = z.object({ id: z.union([z.string(), z.number()]) }).parse(placed);
  const asked = await askToErase(day, scope.subject);
  const ended = await endOf(day, asked.id);
  if (ended !== null && ended.erased > 0)
    throw new Error(`an erasure under a legal hold erased ${ended.erased} decisions`);
  await order(day, 'privacy', `/api/v1/legal-holds/${id}/lift`, { reason: 'settled' });
}

async function keepCheckpoint(day: Morning, turn: number, kept: Kept): Promise<void> {
  const file = join(day.house.directory, `kept-${turn}.note`);
  writeFileSync(file, z.string().parse(await order(day, 'auditor', '/checkpoint')));
  kept.checkpoints.push(file);
}

async function prove(day: Morning, turn: number, kept: Kept): Promise<void> {
  const { controlUrl } = await day.sidecar();
  const seq = String(Math.floor(day.random() * 20));
  const proof = await holdpoint('ledger', 'prove', seq, '--url', controlUrl, '--token', day.tokens.auditor);
  const file = join(day.house.directory, `proof-${turn}.txt`);
  writeFileSync(file, proof);
  // Whichever of the ledger's keys is in force by then.
  const trust = join(day.house.directory, `keys-${turn}.txt`);
  writeFileSync(trust, (await keysOf(day.house)).join('\n'));
  await holdpoint('ledger', 'verify-proof', file, '--trust', trust);
  kept.proofs += 1;
}

async function backUp(day: Morning, turn: number, kept: Kept): Promise<void> {
  // Into the same directory again, or into another.
  const dir = kept.backups.at(-1);
  const into = dir !== undefined && day.random() < 0.5 ? dir : join(day.house.directory, `backup-${turn}`);
  await holdpoint('ledger', 'backup', into, '--config', day.house.configFile);
  if (into !== dir) kept.backups.push(into);
}

async function exportAll(day: Morning, turn: number, kept: Kept): Promise<void> {
  const file = join(day.house.directory, `export-${turn}.hpj`);
  await holdpoint('ledger', 'export', file, '--config', day.house.configFile);
  kept.exports.push(file);
}

/** A token that is given is honoured, and refused as soon as it is taken back. */
async function grant(day: Morning, turn: number): Promise<void> {
  const name = `guest-${turn}`;
  const config = ['--config', day.house.configFile];
  const token = (await holdpoint('token', 'new', '--name', name, '--role', 'viewer', ...config)).trim();
  const statusOf = async (): Promise<number> => {
    const { controlUrl } = await day.sidecar();
    const response = await fetch(`${controlUrl}/api/v1/whoami`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await response.arrayBuffer();
    return response.status;
  };
  const honoured = await statusOf();
  await holdpoint('token', 'revoke', name, ...config);
  const refused = await statusOf();
  if (honoured !== 200 || refused !== 401) throw new Error(`a guest's token: ${honoured}, then ${refused}`);
}
