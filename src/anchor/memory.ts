/**
 * What each anchor last acknowledged, beside the ledger: which part a witness has to be shown, and how far behind
 * an anchor is after a restart. Not evidence; losing it costs a question to the witness.
 *
 *     <data>/anchors/acknowledged.json    sizes, times and places by anchor
 *     <data>/anchors/<name>.checkpoint    the note it acknowledged last, a witness's cosignature on it
 *     <data>/anchors/<name>.tsr           a time stamp authority's answer
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { sha256Hex } from '../core/bytes.ts';
import { HoldpointError, refusalOf } from '../core/errors.ts';
import { createInTurn } from '../core/in-turn.ts';
import type { Checkpoint, Receipt } from './anchor.ts';
import { replaceFile } from './durable-file.ts';

export interface Acknowledged {
  readonly size: number;
  /** When the checkpoint was taken from the ledger, in milliseconds since the Unix epoch. */
  readonly takenMs: number;
}

export interface AnchorMemory {
  of(name: string): Acknowledged | undefined;
  /** Durable when it resolves. */
  acknowledge(name: string, checkpoint: Checkpoint, takenMs: number, receipt: Receipt): Promise<void>;
}

const file = 'acknowledged.json';
const schema = z.strictObject({
  version: z.literal(1),
  origin: z.string(),
  anchors: z.record(
    z.string(),
    z.strictObject({
      size: z.int().min(1),
      takenMs: z.int().min(0),
      /** SHA-256, hex, of whose memory it is; absent in what earlier versions wrote. */
      place: z.string().exactOptional(),
    }),
  ),
});
type Known = z.output<typeof schema>['anchors'][string];

/**
 * Opens the memory in `directory`, which is there. What it says of another ledger is not taken over, nor what it says of an
 * anchor that is somebody else by now: nobody there has acknowledged anything. Throws `config_invalid` where the file is
 * not one.
 * @param places whose memory each anchor is, by its name
 */
export function openAnchorMemory(
  directory: string,
  origin: string,
  places: ReadonlyMap<string, string> = new Map(),
): AnchorMemory {
  const path = join(directory, file);
  const hashes = new Map([...places].map(([name, place]) => [name, sha256Hex(place)]));
  const isMeant = ([name, { place }]: [string, Known]): boolean =>
    place === undefined || (hashes.get(name) ?? place) === place;
  const known = new Map(Object.entries(readMemory(path, origin)).filter(isMeant));
  const inTurn = createInTurn();
  return {
    of: (name) => known.get(name),
    acknowledge: (name, { size, note }, takenMs, receipt) => {
      const write = async (): Promise<void> => {
        // The receipt first: a size that is remembered without one would never be asked for again.
        const kept = receipt.files.some(({ ending }) => ending === 'checkpoint')
          ? receipt.files
          : [...receipt.files, { ending: 'checkpoint', bytes: note }];
        for (const { ending, bytes } of kept) await replaceFile(join(directory, `${name}.${ending}`), bytes);
        const place = hashes.get(name);
        known.set(name, { size, takenMs, ...(place === undefined ? {} : { place }) });
        const text = JSON.stringify({ version: 1, origin, anchors: Object.fromEntries(known) }, null, 2);
        await replaceFile(path, Buffer.from(`${text}\n`));
      };
      return inTurn(write);
    },
  };
}

function readMemory(path: string, origin: string): Readonly<Record<string, Known>> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw unreadable(path, error);
  }
  try {
    const memory = schema.parse(JSON.parse(text));
    return memory.origin === origin ? memory.anchors : {};
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): HoldpointError {
  return new HoldpointError(
    'config_invalid',
    `What the anchors acknowledged cannot be read from ${path}: ${refusalOf(error)}.`,
    'Restore it, or remove it: every anchor is then asked anew.',
    error,
  );
}
