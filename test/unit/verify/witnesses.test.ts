/** Which cosignatures an auditor's verdict counts, and for how many witnesses. */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { cosignerOf } from '../../../src/anchor/cosign.ts';
import { takeAnchor, takeBlockRoot } from '../../../src/ledger/verify/anchors.ts';
import { checkOutside, readOutside } from '../../../src/ledger/verify/outside.ts';
import { blockRootsMax, createPass } from '../../../src/ledger/verify/pass.ts';
import { portable } from '../../../src/ledger/verify/primitives.ts';
import { appendHash } from '../../../src/ledger/verify/tree.ts';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { createLedgerBuilder, signNote } from '../../support/ledger-builder.ts';

const { privateKey } = generateKeyPairSync('ed25519');
const witness = cosignerOf('witness.example/w1', privateKey);
const seconds = 1_795_000_000;

const builder = createLedgerBuilder();
builder.genesis();
builder.commit();

const cosigned = (note: string, by = witness, at = seconds): string =>
  note + by.cosign(Buffer.from(note.slice(0, note.indexOf('\n\n') + 1)), at);

async function verdictOf(notes: readonly string[], witnesses = [witness.verifierKey]) {
  const { assurance, findings } = await verifyLedger(builder.source(), { witnesses, cosigned: notes });
  return [assurance, findings.map(({ code }) => code)];
}

it('one over the ledger is one witness', async () => {
  expect(await verdictOf([cosigned(builder.checkpoint())])).toEqual(['WITNESSED(1)', []]);
});

it('one over the tree of no entries is not one that covers the ledger', async () => {
  const empty = signNote(builder.seed, builder.origin, 0, createHash('sha256').digest());
  expect(await verdictOf([cosigned(empty)])).toEqual(['LOCAL', ['witness_missing']]);
});

it('one over another ledger says nothing of this one', async () => {
  const other = createLedgerBuilder({ seed: 'two' });
  other.genesis();
  other.commit();
  expect(await verdictOf([cosigned(other.checkpoint())])).toEqual(['LOCAL', ['witness_missing']]);
});

it('one without a time is none', async () => {
  const timeless = cosigned(builder.checkpoint(), witness, 0);
  expect(await verdictOf([timeless])).toEqual(['LOCAL', ['cosignature_invalid', 'witness_missing']]);
});

it('two names for one key are one witness', async () => {
  const again = cosignerOf('witness.example/w2', privateKey);
  const note = builder.checkpoint();
  const keys = [witness.verifierKey, again.verifierKey];
  expect(await verdictOf([cosigned(note), cosigned(note, again)], keys)).toEqual(['WITNESSED(1)', []]);
});

it('one that the ledger has itself covers it however many commits came since', () => {
  const pass = createPass({
    ...{ trusted: undefined, unwrap: undefined, primitives: portable, everySignature: false },
    watchedSizes: [],
  });
  pass.ledger = builder.ledger;
  appendHash(pass.range, builder.root());
  takeBlockRoot(pass);
  const receipt = witness.cosign(
    Buffer.from(builder.checkpoint().slice(0, builder.checkpoint().indexOf('\n\n') + 1)),
    seconds,
  );
  const root = builder.root().toString('hex');
  takeAnchor(pass, 1, { type: 'anchor', anchor: 'w1', kind: 'witness', size: 1, root, receipt });
  for (let size = 2; size < blockRootsMax + 2; size += 1) pass.blockRoots.set(size, builder.root());
  pass.nextSeq = blockRootsMax + 1;
  const { witnesses } = checkOutside(pass, readOutside({ witnesses: [witness.verifierKey] }));
  expect(witnesses.map(({ size }) => size)).toEqual([1]);
  // What lies further back than is remembered is compared with none, and what does not is.
  const forgotten = { type: 'anchor', anchor: 'w1', kind: 'file', size: 1, root, receipt: '' } as const;
  takeAnchor(pass, pass.nextSeq, forgotten);
  expect(pass.receipts.get('w1')?.kind).toBe('witness');
  expect(pass.findings.list).toEqual([]);
  takeAnchor(pass, pass.nextSeq, { ...forgotten, size: blockRootsMax + 2 });
  expect(pass.findings.list.map(({ code }) => code)).toEqual(['anchor_mismatch']);
});
