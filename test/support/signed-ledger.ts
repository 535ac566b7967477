/** Ledgers with signed rulings, and what can be wrong with them: each validly sealed and signed by the ledger's own key. */
import { createHash } from 'node:crypto';
import {
  createLedgerBuilder,
  type Fields,
  type LedgerBuilder,
  reviewerKeyOf,
  sealHeldResponse,
  signAs,
} from './ledger-builder.ts';

const policy = 'ab'.repeat(32);
const terms = { policy, policyVersion: 'v1', rules: [{ id: 'large-transfer' }, { id: 'two-eyes' }] };
const reason = 'checked';
const orderText = JSON.stringify({ verdict: 'release', reason, salt: '5a'.repeat(32) });
const orderDigest = (text: string): string =>
  createHash('sha256').update('holdpoint/order/1\0').update(text).digest('hex');
const orderWith = (more: Fields): string => JSON.stringify({ ...JSON.parse(orderText), ...more });
const oneOfTwo = orderWith({ calls: ['call_1'] });
const allByName = orderWith({ calls: ['call_1', 'call_2'] });
const alone = orderWith({ breakGlass: true });
const inStead = orderWith({ inStead: 'olga' });
const key = 'key of rita';

export function sealEnrolment(builder: LedgerBuilder, changes: Fields = {}, provenBy = key): number {
  const owner = String(changes['owner'] ?? 'rita');
  const text = String(changes['key'] ?? reviewerKeyOf(key));
  const possession = signAs(provenBy, `holdpoint/enrol/1\0${builder.origin}\n${owner}\n${text}\n`);
  const facts = {
    action: 'enrol',
    by: 'rita',
    key: text,
    owner,
    possession,
    reason: 'first',
    role: 'reviewer',
  };
  return builder.seal({ type: 'key', data: { ...facts, ...changes } });
}

const withdraw = (builder: LedgerBuilder, changes: Fields = {}): number => {
  const facts = { action: 'withdraw', by: 'rita', key: reviewerKeyOf(key), reason: 'lost', role: 'reviewer' };
  return builder.seal({ type: 'key', data: { ...facts, ...changes } });
};

interface RulingChanges {
  readonly statement?: Fields;
  readonly data?: Fields;
  readonly signedBy?: string;
  readonly message?: (text: string) => string;
  readonly text?: (text: string) => string;
  readonly order?: string;
  /** Null for none. */
  readonly reason?: string | null;
  /** The amended message; it is what is delivered then. */
  readonly amendment?: string;
  readonly unsigned?: true;
  /** How many calls the held answer makes: two where it is not said. */
  readonly toolCalls?: number;
}

/** A held response that rita releases with her signature, and its delivery. */
export function sealSignedRelease(builder: LedgerBuilder, changes: RulingChanges = {}): number {
  const { decision, hold, digest } = sealHeldResponse(builder, terms, { toolCalls: changes.toolCalls ?? 2 });
  const prefix = builder.ledger.slice(0, 8);
  const statement: Fields = {
    by: 'rita',
    decision: `d-${prefix}-${decision}`,
    digest,
    hold: `h-${prefix}-${hold}`,
    key: reviewerKeyOf(key),
    order: orderDigest(orderText),
    policy,
    policyVersion: 'v1',
    rules: ['large-transfer', 'two-eyes'],
    time: new Date(Date.UTC(2026, 10, 22, 9) + builder.size() * 1000).toISOString(),
    v: 1,
    verdict: 'release',
    ...changes.statement,
  };
  const text = (changes.text ?? ((same) => same))(JSON.stringify(statement));
  const message = (changes.message ?? ((signed) => `holdpoint/ruling/1\0${signed}`))(text);
  const signature = { statement: text, value: signAs(changes.signedBy ?? key, message) };
  const sealed = builder.ruling(
    decision,
    hold,
    { digest, ...(changes.unsigned ? {} : { signature }), ...changes.data },
    {
      ...(changes.reason === null ? {} : { reason: changes.reason ?? reason }),
      ...(changes.amendment === undefined ? {} : { amendment: changes.amendment }),
      ...(changes.unsigned ? {} : { order: changes.order ?? orderText }),
    },
  );
  builder.deliver(decision, hold, changes.amendment === undefined ? digest : builder.c(sealed, 'amendment'));
  builder.close([[decision, 'delivered']]);
  return sealed;
}

export const built = (make: (builder: LedgerBuilder) => void): LedgerBuilder => {
  const builder = createLedgerBuilder();
  builder.genesis();
  builder.commit();
  make(builder);
  builder.commit();
  return builder;
};

/** An answer without its first call, signed for with this order. */
const divided = (order: string): RulingChanges => ({
  order,
  statement: { order: orderDigest(order) },
  data: { verdict: 'amend', withheld: [0] },
  amendment: 'HTTP/1.1 200 OK\r\n\r\n{}',
});
const ruled = (changes: RulingChanges) => (builder: LedgerBuilder) => {
  sealEnrolment(builder);
  sealSignedRelease(builder, changes);
};
const startSigned = (builder: LedgerBuilder, rulings: string): number => {
  const digest = 'ab'.repeat(32);
  return builder.seal({
    type: 'start',
    data: { config: digest, node: 'v24', policy: digest, product: 'x', rulings },
  });
};
const twice =
  (changes: Fields, provenBy = 'second') =>
  (builder: LedgerBuilder) => {
    sealEnrolment(builder);
    sealEnrolment(builder, { key: reviewerKeyOf('second'), ...changes }, provenBy);
  };

/** What verifies. */
export const intactSigned: Readonly<Record<string, (builder: LedgerBuilder) => void>> = {
  'a signed release': ruled({}),
  'an unsigned release where signatures are not required': ruled({ unsigned: true }),
  'a signed release where signatures are required': (builder) => {
    startSigned(builder, 'signed');
    ruled({})(builder);
  },
  'a signed release of all calls by their names': ruled({
    order: allByName,
    statement: { order: orderDigest(allByName) },
  }),
  'a signed release of one call of two': ruled(divided(oneOfTwo)),
  'a second key by an admin': twice({ by: 'olga', role: 'admin' }),
  'a second release whose reason is erased, unlike that of the first': (builder) => {
    ruled({})(builder);
    const order = orderWith({ reason: 'of otto' });
    const second = sealSignedRelease(builder, {
      order,
      reason: 'of otto',
      statement: { order: orderDigest(order) },
    });
    builder.omit(second, 0);
    const asked = { action: 'erase', basis: 'objection', by: 'petra', final: true, role: 'privacy' };
    const what = { request: 'ab'.repeat(8), scope: { match: {} }, targets: [[second, 0]] };
    builder.seal({ type: 'erasure', data: { ...asked, ...what } });
  },
  'a key that is withdrawn after it signed': (builder) => {
    ruled({})(builder);
    withdraw(builder, { by: 'olga', role: 'admin' });
  },
};

/** What is found, by its code and entry. The enrolment is entry 1, the ruling 5. */
export const brokenSigned: Readonly<Record<string, readonly [(builder: LedgerBuilder) => void, string]>> = {
  'a forged signature': [ruled({ signedBy: 'stranger' }), 'ruling_signature_invalid at 5'],
  'a signature in another domain': [
    ruled({ message: (text) => `holdpoint/enrol/1\0${text}` }),
    'ruling_signature_invalid at 5',
  ],
  'a signature over the bare statement': [
    ruled({ message: (text) => text }),
    'ruling_signature_invalid at 5',
  ],
  'a key that was never enrolled': [
    ruled({ statement: { key: reviewerKeyOf('stranger') }, signedBy: 'stranger' }),
    'ruling_key_unknown at 5',
  ],
  'the key of somebody else': [
    (builder) => {
      sealEnrolment(builder, { by: 'otto', owner: 'otto' });
      sealSignedRelease(builder);
    },
    'ruling_key_unknown at 5',
  ],
  'a key that was withdrawn before': [
    (builder) => {
      sealEnrolment(builder);
      withdraw(builder);
      sealSignedRelease(builder);
    },
    'ruling_key_unknown at 6',
  ],
  'a key that is enrolled afterwards': [
    (builder) => {
      sealSignedRelease(builder);
      sealEnrolment(builder);
    },
    'ruling_key_unknown at 4',
  ],
  'no signature where all are signed': [
    (builder) => {
      startSigned(builder, 'signed');
      sealSignedRelease(builder, { unsigned: true });
    },
    'ruling_unsigned at 5',
  ],
  'a denial with places of calls, as if some had been released': [
    ruled({ data: { verdict: 'deny', withheld: [0] } }),
    'leaf_malformed at 5',
  ],
  'places of calls in no order': [
    ruled({ ...divided(allByName), data: { verdict: 'amend', withheld: [1, 0] } }),
    'leaf_malformed at 5',
  ],
  'an order without a signature': [
    ruled({ unsigned: true, data: { signature: 'none' } }),
    'leaf_malformed at 5',
  ],
  'an enrolment that is not proven': [
    (builder) => void sealEnrolment(builder, {}, 'stranger'),
    'enrolment_unproven at 1',
  ],
  'an enrolment for somebody else by a reviewer': [
    (builder) => void sealEnrolment(builder, { by: 'otto' }),
    'enrolment_not_allowed at 1',
  ],
  'a second key by its owner': [twice({}), 'enrolment_not_allowed at 2'],
  'a second key by its owner as an admin': [twice({ role: 'admin' }), 'enrolment_not_allowed at 2'],
  'a key enrolled twice': [
    twice({ key: reviewerKeyOf(key), by: 'olga', role: 'admin' }, key),
    'enrolment_repeated at 2',
  ],
  'a key withdrawn by another reviewer': [
    (builder) => {
      sealEnrolment(builder);
      withdraw(builder, { by: 'otto' });
    },
    'enrolment_not_allowed at 2',
  ],
  'a withdrawal of a key that is none': [(builder) => void withdraw(builder), 'enrolment_unknown at 1'],
  'a statement in other bytes than the canonical ones': [
    ruled({ text: (text) => text.replace(',', ', ') }),
    'ruling_statement_mismatch at 5',
  ],
  'a statement with a member more': [ruled({ statement: { x: 1 } }), 'ruling_statement_mismatch at 5'],
  ...Object.fromEntries(
    (
      [
        ['by', 'otto'],
        ['decision', 'd-00000000-2'],
        ['digest', '00'.repeat(32)],
        ['hold', 'h-00000000-4'],
        ['order', 'none'],
        ['policy', '00'.repeat(32)],
        ['policyVersion', 'v2'],
        ['rules', ['large-transfer']],
        ['time', '2026-11-22T08:00:00.000Z'],
        ['time', 'yesterday'],
        ['v', true],
        ['key', [reviewerKeyOf(key)]],
        ['key', 7],
        ['verdict', 'deny'],
      ] as const
    ).map(([name, value]) => [
      `a statement with ${name} ${JSON.stringify(value)}`,
      [ruled({ statement: { [name]: value } }), 'ruling_statement_mismatch at 5'] as const,
    ]),
  ),
};

/** What only shows once bodies are opened. */
export const brokenOrders: Readonly<Record<string, (builder: LedgerBuilder) => void>> = {
  'another order than was signed': ruled({ order: orderText.replace('release', 'deny') }),
  'another reason than was signed': ruled({ reason: 'was told to' }),
  'no reason where one was signed': ruled({ reason: null }),
  'one call taken out of a release that was signed for all': ruled(divided(orderText)),
  'a release of all calls that was signed for one of two': ruled({
    order: oneOfTwo,
    statement: { order: orderDigest(oneOfTwo) },
  }),
  'two calls of three released by an order that was signed for one': ruled({
    ...divided(oneOfTwo),
    toolCalls: 3,
  }),
  'an order in the stead of another that was sealed as one’s own': ruled({
    order: inStead,
    statement: { order: orderDigest(inStead) },
  }),
  'an order to release alone that was sealed as an approval': ruled({
    order: alone,
    statement: { order: orderDigest(alone) },
  }),
};
