import { createHash, generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { cosignerOf } from '../../../src/anchor/cosign.ts';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { createLedgerBuilder, signNote } from '../../support/ledger-builder.ts';

it('a cosignature over the tree of no entries is not one that covers the ledger', async () => {
  const builder = createLedgerBuilder();
  builder.genesis();
  builder.commit();
  const witness = cosignerOf('witness.example/w1', generateKeyPairSync('ed25519').privateKey);
  const note = signNote(builder.seed, builder.origin, 0, createHash('sha256').digest());
  const line = witness.cosign(Buffer.from(note.slice(0, note.indexOf('\n\n') + 1)), 1_795_000_000);
  const options = { witnesses: [witness.verifierKey], cosigned: [note + line] };
  const { assurance, findings } = await verifyLedger(builder.source(), options);
  expect([assurance, findings.map(({ code }) => code)]).toEqual(['LOCAL', ['witness_missing']]);
});
