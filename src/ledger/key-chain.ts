/** The signing keys that a ledger was under, found without reading it whole: a key never comes back. */
import { HoldpointError } from '../core/errors.ts';
import type { Entry } from './entry.ts';
import { readBlocks, readEntry } from './reader.ts';
import { incomingKid } from './rotation.ts';
import type { RecordStore } from './store.ts';

/** A verifier key, and the first entry sealed under it; it may be one still to come. */
export interface ChainedKey {
  readonly key: string;
  readonly from: number;
}

/** Every key in order, the one in use last. Reads the logarithm of the ledger for each; throws `ledger_damaged`. */
export async function readKeyChain(store: RecordStore): Promise<readonly ChainedKey[]> {
  const chain = [{ key: verifierKeyIn(await readEntry(store, 0)), from: 0 }];
  const last = await lastEntry(store);
  const incoming = incomingKid(last.type, last.data);
  for (;;) {
    const { key, from } = chain.at(-1) ?? { key: '', from: 0 };
    const kid = key.split('+')[1] ?? '';
    const boundary = kid === last.kid ? last.seq : await lastUnder(store, kid, from, last.seq);
    if (kid === last.kid && incoming === null) return chain;
    if (kid === incoming) return chain;
    chain.push({ key: verifierKeyIn(await readEntry(store, boundary)), from: boundary + 1 });
  }
}

/** The last entry under `kid`; the one at `from` is, the one at `end` is not. */
async function lastUnder(store: RecordStore, kid: string, from: number, end: number): Promise<number> {
  let [under, past] = [from, end];
  while (past - under > 1) {
    const middle = Math.floor((under + past) / 2);
    if ((await readEntry(store, middle)).kid === kid) under = middle;
    else past = middle;
  }
  return under;
}

async function lastEntry(store: RecordStore): Promise<Entry> {
  for await (const entries of readBlocks(store, { fromSeq: Number.MAX_SAFE_INTEGER, reverse: true })) {
    const entry = entries.at(-1);
    if (entry !== undefined) return entry;
  }
  throw new HoldpointError('not_found', 'The ledger has no entry.');
}

function verifierKeyIn({ seq, type, data }: Entry): string {
  const { key } = data;
  if (typeof key === 'string' && (type === 'genesis' || incomingKid(type, data) !== null)) return key;
  throw new HoldpointError(
    'ledger_damaged',
    `Entry ${seq} should name a verifier key, and does not.`,
    'Run `holdpoint verify` on the data directory.',
  );
}
