/**
 * How `people-1.json` was made, by the second writer of tests: `node test/golden/ledger/make-people-1.ts`. Kept for the
 * next format's vector; the file itself is never made again.
 */
import { writeFileSync } from 'node:fs';
import { createLedgerBuilder, sealHeldResponse } from '../../support/ledger-builder.ts';

const builder = createLedgerBuilder({ seed: 'people' });
builder.genesis();
builder.start();
const held = sealHeldResponse(builder, { approvals: 3 });
const release = (by: string, final: boolean): number =>
  builder.ruling(held.decision, held.hold, { digest: held.digest, by, final });
// Both of one person, as the start after them says.
release('rita', false);
release('oidc:https://id.example.com#248289761001', false);
builder.commit();

builder.restart();
builder.start({
  people: [
    ['rita', 'oidc:https://id.example.com#248289761001'],
    ['otto', 'certificate:cn=ops desk'],
  ],
});
builder.heartbeat();
release('otto', false);
release('petra', true);
builder.deliver(held.decision, held.hold, held.digest);
builder.close([[held.decision, 'delivered']]);
builder.commit();

const { verifierKey, records } = builder;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const vector = {
  verifierKey,
  kek: hex(builder.kek),
  records: records.map(({ key, value }) => ({ key: hex(key), value: hex(value) })),
};
writeFileSync(new URL('people-1.json', import.meta.url), `${JSON.stringify(vector, null, 2)}\n`);
