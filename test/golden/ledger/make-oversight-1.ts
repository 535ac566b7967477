/**
 * How `oversight-1.json` was made, by the second writer of tests: `node test/golden/ledger/make-oversight-1.ts`. Kept
 * for the next format's vector; the file itself is never made again.
 */
import { writeFileSync } from 'node:fs';
import { createLedgerBuilder, type Fields, sealHeldResponse } from '../../support/ledger-builder.ts';

const builder = createLedgerBuilder({ seed: 'oversight' });
const act = (data: Fields, parts = {}): number => builder.seal({ type: 'access', data, refs: [], parts });
const about = (decision: number, data: Fields, parts = {}): number =>
  builder.about(decision, { type: 'access', data: { decision, ...data }, refs: [decision], parts });

builder.genesis();
builder.start();
const until = Date.UTC(2026, 10, 29);
const lent = act({ action: 'delegate', by: 'petra', role: 'privacy', delegate: 'otto', until });
builder.commit();

const talked = sealHeldResponse(builder, { approvals: 2, roles: ['reviewer', 'privacy'] });
const of = { by: 'rita', role: 'reviewer', hold: talked.hold };
about(talked.decision, { action: 'comment', ...of }, { comment: 'Is this our supplier?' });
about(talked.decision, { action: 'assign', assignee: 'rita', ...of });
about(talked.decision, { action: 'assign', assignee: 'otto', ...of });
builder.heartbeat();
builder.commit();
const { digest } = talked;
builder.ruling(talked.decision, talked.hold, { digest, final: false });
builder.ruling(talked.decision, talked.hold, { digest, by: 'otto', role: 'privacy', inStead: 'petra' });
act({ action: 'delegation_end', by: 'petra', role: 'privacy', delegation: lent });
builder.deliver(talked.decision, talked.hold, digest);
builder.commit();

const breakGlass = { collect: 300_000, review: 86_400_000, roles: ['admin'] };
const [reviewed, unreviewed] = [1, 2].map(() => sealHeldResponse(builder, { approvals: 2, breakGlass }));
if (reviewed === undefined || unreviewed === undefined) throw new Error('two are held');
for (const held of [reviewed, unreviewed]) {
  const alone = { digest: held.digest, by: 'olga', role: 'admin', breakGlass: true };
  builder.ruling(held.decision, held.hold, alone, { reason: 'The plant is on fire.' });
  builder.deliver(held.decision, held.hold, held.digest);
}
builder.close([talked, reviewed, unreviewed].map(({ decision }) => [decision, 'delivered'] as const));
const finding = { action: 'review', by: 'rita', role: 'reviewer', verdict: 'justified', hold: reviewed.hold };
about(reviewed.decision, finding, { finding: 'It burned.' });
builder.commit();

const { verifierKey, records } = builder;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const vector = {
  verifierKey,
  kek: hex(builder.kek),
  records: records.map(({ key, value }) => ({ key: hex(key), value: hex(value) })),
};
writeFileSync(new URL('oversight-1.json', import.meta.url), `${JSON.stringify(vector, null, 2)}\n`);
