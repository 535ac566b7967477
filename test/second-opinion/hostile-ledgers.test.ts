/** verify.py on ledgers that no sidecar seals, by whoever has the key: both verifiers name one cause, and the right one. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createLedgerBuilder,
  type Fields,
  type LedgerBuilder,
  recordKey,
} from '../support/ledger-builder.ts';
import {
  buildPlainLedger,
  editBodies,
  editLeaf,
  editNote,
  type Records,
  setFields,
} from '../support/ledger-tampering.ts';
import { type Folder, makeFolder, streamOf } from './ledgers.ts';
import { missing, ours, second } from './opinions.ts';

const recordsOf = (make: (builder: LedgerBuilder) => void, genesis: Fields = {}): Records => {
  const builder = createLedgerBuilder();
  builder.genesis(genesis);
  builder.commit();
  make(builder);
  builder.commit();
  return builder.records;
};

/** A request and a hold of it. */
const held = (terms: Fields): Records =>
  recordsOf((builder) => builder.hold(builder.request({ verdict: 'hold' }), 1, terms));
const role = { approvals: 1, roles: ['reviewer'] };
const step = { at: 1, roles: ['reviewer'] };

/** An entry of another writing in the place of entry 1. */
const rewritten = (edit: (text: string) => string): Records =>
  editLeaf(
    recordsOf((builder) => builder.request({ purpose: 'one', tries: 1000 })),
    1,
    0,
    edit,
  );
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

const file = { credential: 'ab'.repeat(32), id: 'file-1' };
const answered = (data: Fields = {}): Records =>
  recordsOf((builder) => builder.response(builder.request(), { file, ...data }));

/** A held request that was released and handed over, and its answer. */
const releasedAnd = (response: Fields, outcome: string): Records =>
  recordsOf((b) => {
    const decision = b.request({ verdict: 'hold' });
    const digest = b.c(decision, 'request');
    const hold = b.hold(decision, decision);
    b.ruling(decision, hold, { digest });
    b.deliver(decision, hold, digest);
    b.response(decision, response);
    b.close([[decision, outcome]]);
  });

/** With the checkpoint of block 1 in another name. */
const signedAs = (name: string): Records =>
  editNote(
    recordsOf((builder) => builder.request()),
    1,
    (text) => text.replace(/(?<=\n\n\u2014 )\S+/, name),
  );

/** A request sealed at this time. */
const stoppedAt = (at: string): Records =>
  recordsOf((builder) => builder.seal({ type: 'stop', data: { reason: 'signal' }, override: { at } }));

/** Three entries in one block, then an anchor that is said to have taken note of so many. */
const anchoredAt = (size: number): Records =>
  recordsOf((builder) => {
    for (let turn = 0; turn < 3; turn += 1) builder.request();
    builder.commit();
    const root = builder.root(size).toString('hex');
    builder.seal({ type: 'anchor', data: { anchor: 'a', kind: 'file', size, root, receipt: '' } });
  });

const lend: Fields = { action: 'delegate', by: 'petra', role: 'privacy', delegate: 'otto', until: 1 };

/** An order that names the first part of this entry and nothing else. */
const erased = (seq: number): Fields => ({
  ...{ action: 'erase', basis: 'objection', by: 'petra', final: true, request: 'ab'.repeat(8) },
  ...{ role: 'privacy', scope: { subject: 'cd'.repeat(8) }, targets: [[seq, 0]] },
});

/** With a snapshot of another writing, which its heartbeat names. */
function snapshotAs(edit: (text: string) => string | Buffer): Records {
  const records = recordsOf((builder) => builder.heartbeat());
  const snapshot = records.find(({ key }) => key[8] === 3) ?? {
    key: recordKey(1, 3),
    value: Buffer.alloc(0),
  };
  const value = Buffer.from(edit(Buffer.from(snapshot.value).toString()));
  const digest = createHash('sha256').update(value).digest('hex');
  const named = recordsOf((builder) => builder.heartbeat({ snapshot: digest }));
  return named.map((record) => (record.key[8] === 3 ? { key: record.key, value } : record));
}

/** With another root in block 1, and another writing of the entry in block 2. */
const twiceAltered = editLeaf(
  editNote(buildPlainLedger().records, 4, (text) => text.replace(/[^\n]+(?=\n\n)/, `${'A'.repeat(43)}=`)),
  5,
  0,
  (text) => text.replace('"v":1', '"v":1 '),
);

const cases: Readonly<Record<string, readonly [string, Records]>> = {
  'needs that are no list': ['leaf_malformed at 2', held({ needs: role })],
  'a ladder that is no list': ['leaf_malformed at 2', held({ escalation: step })],
  'needs and a ladder': ['', held({ needs: [role], escalation: [step] })],
  'a number with a fraction of nothing': [
    'leaf_not_canonical at 1',
    rewritten((t) => t.replace('1000', '1000.0')),
  ],
  'a number with an exponent': ['leaf_not_canonical at 1', rewritten((t) => t.replace('1000', '1e3'))],
  'a fraction': ['leaf_malformed at 1', rewritten((t) => t.replace('1000', '1.5'))],
  'a number beyond every integer': ['leaf_malformed at 1', rewritten((t) => t.replace('1000', '1e400'))],
  'half of a surrogate pair': ['leaf_malformed at 1', rewritten((t) => t.replace('"one"', '"\\ud83d"'))],
  'a surrogate pair in escapes': [
    'leaf_not_canonical at 1',
    rewritten((t) => t.replace('"one"', '"\\ud83d\\ude00"')),
  ],
  'a space, and too many arrays': [
    'leaf_malformed at 1',
    rewritten((t) => t.replace('"one"', ` ${nested(40)}`)),
  ],
  'a space, and a key that is not ASCII': [
    'leaf_malformed at 1',
    rewritten((t) => t.replace('"one"', ' {"\u00e4":1}')),
  ],
  'a version below one': ['version_unsupported at 1', rewritten((t) => t.replace('"v":1}', '"v":-1}'))],
  'a version that is no number': ['leaf_malformed at 1', rewritten((t) => t.replace('"v":1}', '"v":true}'))],
  'a key of genesis that is none': [
    'verifier_key_malformed at 0',
    recordsOf((b) => b.request(), { key: 'key' }),
  ],
  'a judged file': ['', answered()],
  'a judged file of nobody': ['leaf_malformed at 2', answered({ file: { id: 'file-1' } })],
  'a judged file that is altered': [
    'leaf_malformed at 2',
    setFields(answered(), 1, 1, {
      data: { decision: 1, verdict: 'pass', file: { ...file, credential: '' } },
    }),
  ],
  'a tunnel that a rule held and nobody released': [
    'outcome_contradicts at 2',
    recordsOf((b) => b.close([[b.request({ verdict: 'hold', recorded: false }), 'delivered']])),
  ],
  'a released request whose answer a rule denied': ['', releasedAnd({ verdict: 'deny' }, 'denied')],
  'a released request that was denied, its answer not': [
    'outcome_contradicts at 6',
    releasedAnd({ verdict: 'pass' }, 'denied'),
  ],
  'an answer that a rule held and nobody ruled on': [
    'outcome_contradicts at 3',
    recordsOf((b) => {
      const decision = b.request();
      b.response(decision, { verdict: 'hold' });
      b.close([[decision, 'delivered']]);
    }),
  ],
  'an answer to a request that waits': [
    'response_without_release at 3',
    recordsOf((b) => {
      const decision = b.request();
      b.hold(decision, decision);
      b.response(decision);
    }),
  ],
  'bytes handed over first after the outcome': [
    'delivery_without_ruling at 6',
    recordsOf((b) => {
      const decision = b.request();
      const response = b.response(decision, { verdict: 'hold' });
      const hold = b.hold(decision, response);
      const digest = b.c(response, 'response');
      b.ruling(decision, hold, { digest });
      b.close([[decision, 'released_undelivered']]);
      b.deliver(decision, hold, digest);
    }),
  ],
  'an erasure of the answer alone of a decision that is still open': [
    'erasure_decision_open at 3',
    recordsOf((b) => {
      const response = b.response(b.request());
      b.seal({ type: 'erasure', data: erased(response) });
    }),
  ],
  'an erasure of the answer alone of a decision under a legal hold': [
    'erasure_under_legal_hold at 5',
    recordsOf((b) => {
      const decision = b.request();
      const response = b.response(decision);
      b.close([[decision, 'delivered']]);
      const hold = { action: 'hold', by: 'petra', role: 'privacy', scope: { decision } };
      b.seal({ type: 'erasure', data: hold });
      b.seal({ type: 'erasure', data: erased(response) });
    }),
  ],
  'an answer that a rule denied, handed over on a ruling': [
    'delivery_without_ruling at 5',
    recordsOf((b) => {
      const decision = b.request();
      const response = b.response(decision, { verdict: 'deny' });
      const digest = b.c(response, 'response');
      const hold = b.hold(decision, response, { phase: 'response', digest });
      b.ruling(decision, hold, { digest });
      b.deliver(decision, hold, digest);
      b.close([[decision, 'client_abort']]);
    }),
  ],
  'an answer first handed over after the outcome, its request before': [
    'delivery_without_ruling at 9',
    recordsOf((b) => {
      const decision = b.request({ verdict: 'hold' });
      const asked = b.c(decision, 'request');
      const first = b.hold(decision, decision);
      b.ruling(decision, first, { digest: asked });
      b.deliver(decision, first, asked);
      const response = b.response(decision, { verdict: 'hold' });
      const digest = b.c(response, 'response');
      const second = b.hold(decision, response, { phase: 'response', digest });
      b.ruling(decision, second, { digest });
      b.close([[decision, 'released_undelivered']]);
      b.deliver(decision, second, digest);
    }),
  ],
  'a checkpoint in a name with a next-line in it': ['note_malformed at 1', signedAs('a\u0085b')],
  'a checkpoint in a name with a space that does not break': ['note_malformed at 1', signedAs('a\u00a0b')],
  'a checkpoint in a name with a byte order mark in it': ['key_unknown at 1', signedAs('a\ufeffb')],
  'a checkpoint in a name with a control character in it': ['note_malformed at 1', signedAs('a\u0001b')],
  'a checkpoint in a name that is too long': ['note_malformed at 1', signedAs('a'.repeat(256))],
  'a checkpoint in the name of another': ['key_unknown at 1', signedAs('a'.repeat(255))],
  'a request that keeps nothing of what was asked': [
    'leaf_malformed at 1',
    recordsOf((b) => b.seal({ type: 'request', data: { verdict: 'pass' }, parts: { response: 'a' } })),
  ],
  'a response that keeps nothing of what was answered': [
    'leaf_malformed at 2',
    recordsOf((b) => {
      const data = { decision: b.request(), verdict: 'pass' };
      b.seal({ type: 'response', data, parts: { request: 'a' } });
    }),
  ],
  'a day that there is not': ['leaf_malformed at 1', stoppedAt('2026-02-30T09:00:00.000Z')],
  'the 29th of February in no leap year': ['leaf_malformed at 1', stoppedAt('2100-02-29T09:00:00.000Z')],
  'the 29th of February in a leap year': ['', stoppedAt('2000-02-29T09:00:00.000Z')],
  'a second that a leap adds': ['leaf_malformed at 1', stoppedAt('2026-12-31T23:59:60.000Z')],
  'the last millisecond of all': ['', stoppedAt('9999-12-31T23:59:59.999Z')],
  'a year of five digits': ['leaf_malformed at 1', stoppedAt('+010000-01-01T00:00:00.000Z')],
  'the year nought': ['leaf_malformed at 1', stoppedAt('0000-01-01T00:00:00.000Z')],
  'an anchor at the end of a block': ['', anchoredAt(4)],
  'an anchor where no block ends, with the root of there': ['anchor_mismatch at 4', anchoredAt(2)],
  'two heartbeats in one block': [
    'snapshot_mismatch at 2',
    recordsOf((b) => {
      b.heartbeat();
      b.heartbeat();
    }),
  ],
  'a delegation about a decision, which a snapshot lists': [
    '',
    recordsOf((b) => {
      const decision = b.request();
      const delegation = b.about(decision, { type: 'access', data: { ...lend, decision } });
      b.about(decision, {
        type: 'access',
        data: { action: 'delegation_end', by: 'petra', role: 'privacy', delegation, decision },
      });
      b.heartbeat();
    }),
  ],
  'a snapshot with other spacing': ['', snapshotAs((text) => text.replace(',', ', '))],
  'a snapshot of version true': [
    'snapshot_mismatch at 1',
    snapshotAs((text) => text.replace('"v":1', '"v":true')),
  ],
  'a snapshot after a byte order mark': ['snapshot_mismatch at 1', snapshotAs((text) => `\ufeff${text}`)],
  'a snapshot in sixteen bits': [
    'snapshot_mismatch at 1',
    snapshotAs((text) => Buffer.from(text, 'utf16le')),
  ],
  'a checkpoint over more than any number counts': [
    'note_malformed at 1',
    editNote(
      recordsOf((b) => b.request()),
      1,
      (text) => text.replace('\n2\n', '\n9999999999999999\n'),
    ),
  ],
  'a checkpoint that ends without the end of its last line': [
    'note_malformed at 1',
    editNote(
      recordsOf((b) => b.request()),
      1,
      (text) => text.split('\n\n')[0] ?? '',
    ),
  ],
  'a checkpoint that ends after its text': [
    'signature_missing at 1',
    editNote(
      recordsOf((b) => b.request()),
      1,
      (text) => `${text.split('\n\n')[0]}\n`,
    ),
  ],
  'a checkpoint longer than a verifier bears': [
    'note_malformed at 1',
    editNote(
      recordsOf((b) => b.request()),
      1,
      (text) => text.replace(/\S+\n$/, `${'A'.repeat(1_048_576)}\n`),
    ),
  ],
  'a genesis of another origin, with a key that is none': [
    'ledger_mismatch at 0',
    recordsOf((b) => b.request(), { origin: 'holdpoint/other', key: 'none' }),
  ],
  'another root, and after it an entry of another writing': ['leaf_not_canonical at 5', twiceAltered],
  'bodies of an entry beyond every number': [
    'bodies_malformed at 1',
    editBodies(answered(), 1, (bodies) => ({
      ...bodies,
      items: bodies.items.map((item, at) => (at === 0 ? item : { ...item, seq: 2 ** 53 })),
    })),
  ],
};

describe.skipIf(missing.length > 0)('a second opinion on a ledger by whoever has its key', () => {
  let folder: Folder;
  beforeAll(() => {
    folder = makeFolder();
  });
  afterAll(() => folder.remove());

  it.each(Object.keys(cases))('%s', async (name) => {
    const [expected = '', records = []] = cases[name] ?? [];
    const bytes = streamOf(records);
    const verdicts = await Promise.all([ours(bytes), second(folder.write(name, bytes))]);
    const causes = verdicts.map(({ findings: [cause] }) =>
      cause === undefined ? '' : `${cause.code} at ${cause.seq}`,
    );
    expect(causes).toEqual([expected, expected]);
  });
});
