/** Small ledgers and what may be done to them, with the signing key and without: what both verifiers are asked about. */
import fc from 'fast-check';
import { z } from 'zod';
import {
  buildFullLedger,
  canonicalize,
  createLedgerBuilder,
  decodeBlock,
  encodeBlock,
  type Fields,
  type LedgerBuilder,
  type LedgerRecord,
  leafHashOf,
  merkleRoot,
  signNote,
} from '../support/ledger-builder.ts';
import { editBodies, type Records } from '../support/ledger-tampering.ts';

const rotatedTo = ['second key', 'third key'] as const;
const erasure = (targets: readonly (readonly number[])[]): Fields => ({
  ...{ action: 'erase', basis: 'objection', by: 'petra', final: true, request: 'ab'.repeat(8) },
  ...{ role: 'privacy', scope: { subject: 'cd'.repeat(8) }, targets },
});

/** Blocks of one entry and of several; two rotations, a revocation, an anchor, an erasure, heartbeats over what is open. */
function buildChangingLedger(): LedgerBuilder {
  const builder = createLedgerBuilder();
  builder.genesis();
  builder.start();
  builder.commit();
  const [a, b] = [builder.request(), builder.request()];
  builder.response(a);
  builder.omit(a, 0);
  builder.commit();
  builder.close([[a, 'delivered']]);
  builder.heartbeat();
  builder.rotate(rotatedTo[0]);
  builder.commit();
  builder.seal({ type: 'erasure', data: erasure([[a, 0]]), parts: { reason: 'asked for' } });
  builder.commit();
  const root = builder.root().toString('hex');
  const anchored = { anchor: 'a', kind: 'file', size: builder.size(), root, receipt: '' };
  builder.seal({ type: 'anchor', data: anchored });
  const key = builder.keyOf(builder.seed);
  builder.seal({ type: 'key', data: { action: 'revoke', by: 'olga', key, reason: 'stolen', size: 8 } });
  builder.rotate(rotatedTo[1]);
  builder.commit();
  builder.heartbeat();
  builder.response(b);
  builder.close([[b, 'delivered']]);
  builder.seal({ type: 'stop', data: { reason: 'SIGTERM' } });
  builder.commit();
  return builder;
}

const [full, changing] = [buildFullLedger(), buildChangingLedger()];

type Change = (records: Records) => Records;

/** An element of a list that shrinks with it; undefined of an empty one. */
const pick = <T>(list: readonly T[], at: number): T | undefined => list[at % Math.max(1, list.length)];
const nth = fc.nat(10_000);

const ofKind = (records: Records, kind: number): Records => records.filter(({ key }) => key[8] === kind);

function replace(records: Records, old: LedgerRecord | undefined, ...by: Records): Records {
  return records.flatMap((record) => (record === old ? by : [record]));
}

interface Block {
  readonly leaves: readonly Buffer[];
  readonly note: Buffer;
}

function changeBlock(records: Records, at: number, change: (block: Block) => Block): Records {
  const record = pick(ofKind(records, 1), at);
  if (record === undefined) return records;
  const block = blockIn(record);
  if (block === undefined) return records;
  const { leaves, note } = change(block);
  return replace(records, record, { key: record.key, value: encodeBlock(leaves, note) });
}

/** Undefined where an earlier change left no block. */
function blockIn({ value }: LedgerRecord): Block | undefined {
  try {
    return decodeBlock(Buffer.from(value));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const changeLeaf =
  (at: number, which: number, change: (leaf: Buffer) => Buffer): Change =>
  (records) =>
    changeBlock(records, at, ({ leaves, note }) => ({
      leaves: leaves.map((leaf, index) => (index === which % leaves.length ? change(leaf) : leaf)),
      note,
    }));

const fieldsSchema = z.record(z.string(), z.json());
type Json = z.output<typeof fieldsSchema>[string];

/** The fields of a leaf; undefined where an earlier change left none. */
function fieldsOf(leaf: Buffer): Record<string, Json> | undefined {
  try {
    return fieldsSchema.parse(JSON.parse(leaf.toString()));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}

function withFields(leaf: Buffer, change: (fields: Record<string, Json>) => Record<string, Json>): Buffer {
  const fields = fieldsOf(leaf);
  return fields === undefined ? leaf : Buffer.from(written(change(fields)));
}

/** Canonical where it can be. */
function written(value: Json): string {
  const fields = z.record(z.string(), z.json()).parse(value);
  return canonicalize(fields as Fields);
}

const hex = (digits: number) => fc.constantFrom('0'.repeat(digits), 'a'.repeat(digits));
const texts = [
  '',
  'release',
  'deny',
  'hold',
  'pass',
  'holdpoint',
  'admin',
  'otto',
  'agent-7',
  'expired',
  'amend',
];
/** Something else of the same form more often than not. */
function otherThan(old: Json | undefined): fc.Arbitrary<Json> {
  const strange = fc.constantFrom<Json>('', true, -1, 1, [], {}, Number.MAX_SAFE_INTEGER);
  const likely = ((): fc.Arbitrary<Json> => {
    if (typeof old === 'number') return fc.nat(40);
    if (typeof old === 'boolean') return fc.constant(!old);
    if (typeof old === 'string') return /^[0-9a-f]{64}$/.test(old) ? hex(64) : fc.constantFrom(...texts);
    if (!Array.isArray(old)) return fc.constantFrom<Json>({ decision: 1 }, { rule: 'r' });
    const [pair] = old;
    if (!Array.isArray(pair)) return fc.constantFrom<Json>([], ['reviewer'], ['admin']);
    const outcome = fc.constantFrom(
      'delivered',
      'denied',
      'expired',
      'carried',
      'interrupted',
      'released_undelivered',
    );
    const second: fc.Arbitrary<Json> = typeof pair[1] === 'number' ? fc.nat(2) : outcome;
    return fc.array(fc.tuple(fc.nat(40), second), { maxLength: 3 });
  })();
  return fc.oneof({ weight: 6, arbitrary: likely }, { weight: 1, arbitrary: strange });
}
/** What entries of one type or another may say besides. */
const optional = [
  ...([
    'action',
    'attempt',
    'batch',
    'boxes',
    'breakGlass',
    'by',
    'decision',
    'digest',
    'escalation',
  ] as const),
  ...(['file', 'hold', 'inStead', 'needs', 'outcomes', 'people', 'policy', 'recorded', 'reported'] as const),
  ...(['role', 'rules', 'rulings', 'signature', 'step', 'to', 'withheld'] as const),
];
const kids = ['one', ...rotatedTo].map((seed) => full.kid(seed));
const topLevel: fc.Arbitrary<Record<string, Json>> = fc.oneof(
  fc.record({ prev: hex(64) }),
  fc.record({ seq: fc.nat(60) }),
  fc.record({ mono: fc.nat(20_000) }),
  fc.record({ kid: fc.constantFrom(...kids, '01234567') }),
  fc.record({ ledger: fc.constant('f'.repeat(32)) }),
  fc.record({ boot: fc.constant('b'.repeat(16)) }),
  fc.record({
    at: fc.constantFrom('2020-02-30T00:00:00.000Z', '2026-11-22T08:00:00.000Z', '0000-01-01T00:00:00.000Z'),
  }),
  fc.record({ v: fc.constantFrom<Json>(1, 1, 1, 2, '1', true) }),
  fc.record({ refs: fc.constantFrom<Json>([], [0], [99]) }),
  fc.record({ parts: fc.constant<Json>([]) }),
  fc.record({ durability: fc.constantFrom('relaxed', 'none') }),
  fc.record({ type: fc.constantFrom('request', 'stop', 'heartbeat', 'access', 'x') }),
);

/** What one entry says instead. */
const leafChange: fc.Arbitrary<(leaf: Buffer) => Buffer> = fc.oneof(
  topLevel.map((fields) => (leaf: Buffer) => withFields(leaf, (all) => ({ ...all, ...fields }))),
  {
    weight: 8,
    arbitrary: fc.tuple(nth, fc.nat()).map(
      ([at, seed]) =>
        (leaf: Buffer) =>
          withFields(leaf, (all) => {
            const data = fieldsSchema.safeParse(all['data']).data ?? {};
            const name = pick(Object.keys(data), at) ?? 'x';
            const [other = ''] = fc.sample(otherThan(data[name]), { numRuns: 1, seed });
            return { ...all, data: { ...data, [name]: other } };
          }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...optional), fc.oneof(otherThan(undefined), otherThan(''), otherThan([['']])))
      .map(
        ([name, value]) =>
          (leaf: Buffer) =>
            withFields(leaf, (all) => {
              const data = fieldsSchema.safeParse(all['data']).data ?? {};
              return { ...all, data: { ...data, [name]: value } };
            }),
      ),
  },
  nth.map(
    (at) => (leaf: Buffer) =>
      withFields(leaf, (all) => {
        const data = fieldsSchema.safeParse(all['data']).data ?? {};
        const gone = pick(Object.keys(data), at);
        return { ...all, data: Object.fromEntries(Object.entries(data).filter(([name]) => name !== gone)) };
      }),
  ),
);

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  const index = at % Math.max(1, 8 * copy.length);
  const byte = copy[index >> 3];
  if (byte !== undefined) copy[index >> 3] = byte ^ (1 << (index & 7));
  return copy;
}

const noteChange: fc.Arbitrary<(note: string) => string> = fc.oneof(
  fc.constantFrom(
    (note: string) => note.replace(/(?<=\n)\d+(?=\n)/, (size) => `${Number(size) + 1}`),
    (note: string) => note.replace(/\n[^\n]+\n\n/, `\n${'A'.repeat(43)}=\n\n`),
    (note: string) => `${note}${note.split('\n\n')[1] ?? ''}`,
    (note: string) => note.slice(0, note.indexOf('\n\n') + 2),
    (note: string) => note.replace(/holdpoint\/./, 'holdpoint/x'),
  ),
  fc
    .tuple(fc.constantFrom('one', ...rotatedTo), fc.constantFrom('', 'one', ...rotatedTo))
    .map(([seed, also]) => (note: string) => {
      const [origin = '', size = '', root = ''] = note.split('\n');
      return signNote(seed, origin, Number(size), Buffer.from(root, 'base64'), also);
    }),
);

/** What anybody can do who can write the records. */
const tampering: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(nth, fc.nat()).map(
    ([at, bit]): Change =>
      (records) => {
        const record = pick(records, at);
        if (record === undefined) return records;
        return replace(records, record, { key: record.key, value: flipped(Buffer.from(record.value), bit) });
      },
  ),
  nth.map(
    (at): Change =>
      (records) =>
        replace(records, pick(records, at)),
  ),
  fc.tuple(nth, nth).map(
    ([at, to]): Change =>
      (records) => {
        const record = pick(records, at);
        return record === undefined ? records : records.toSpliced(to % (records.length + 1), 0, record);
      },
  ),
  fc.tuple(nth, nth, leafChange).map(([at, which, change]) => changeLeaf(at, which, change)),
  fc.tuple(nth, nth, fc.nat()).map(([at, which, bit]) => changeLeaf(at, which, (leaf) => flipped(leaf, bit))),
  fc.tuple(nth, nth, nth, fc.constantFrom('drop', 'copy', 'swap')).map(
    ([at, a, b, what]): Change =>
      (records) =>
        changeBlock(records, at, ({ leaves, note }) => {
          const [x, y] = [a % leaves.length, b % leaves.length];
          const [first, second] = [leaves[x], leaves[y]];
          if (first === undefined || second === undefined) return { leaves, note };
          if (what === 'drop') return { leaves: leaves.toSpliced(x, 1), note };
          if (what === 'copy') return { leaves: leaves.toSpliced(y, 0, first), note };
          return { leaves: leaves.with(x, second).with(y, first), note };
        }),
  ),
  fc.tuple(nth, noteChange).map(
    ([at, change]): Change =>
      (records) =>
        changeBlock(records, at, ({ leaves, note }) => ({
          leaves,
          note: Buffer.from(change(note.toString())),
        })),
  ),
  fc.tuple(nth, nth, fc.constantFrom('drop', 'copy', 'other')).map(
    ([at, which, what]): Change =>
      (records) => {
        const record = pick(ofKind(records, 2), at);
        if (record === undefined) return records;
        const seq = Number(Buffer.from(record.key).readBigUInt64BE());
        try {
          return editBodies(records, seq, ({ head, items }) => {
            const item = pick(items, which);
            if (item === undefined) return { head, items };
            if (what === 'drop') return { head, items: items.filter((one) => one !== item) };
            if (what === 'copy') return { head, items: [...items, item] };
            return { head, items: items.map((one) => (one === item ? { ...one, part: one.part + 1 } : one)) };
          });
        } catch (error) {
          // An earlier change left no bodies record there.
          if (error instanceof RangeError) return records;
          throw error;
        }
      },
  ),
);

/** Chains and signs everything again, as whoever has the only signing key can. */
function resealed(builder: LedgerBuilder, records: Records): Records {
  const hashes: Buffer[] = [];
  return records.map((record) => {
    const block = record.key[8] === 1 ? blockIn(record) : undefined;
    if (block === undefined) return record;
    const leaves = block.leaves.map((leaf) => {
      const prev = hashes.at(-1)?.toString('hex') ?? '0'.repeat(64);
      const chained = withFields(leaf, (all) => ({ ...all, prev }));
      hashes.push(leafHashOf(chained));
      return chained;
    });
    const note = signNote(builder.seed, builder.origin, hashes.length, merkleRoot(hashes));
    return { key: record.key, value: encodeBlock(leaves, Buffer.from(note)) };
  });
}

const forging: fc.Arbitrary<Records> = fc
  .array(fc.tuple(nth, nth, leafChange), { minLength: 1, maxLength: 2 })
  .map((changes) =>
    resealed(
      full,
      changes.reduce<Records>(
        (records, [at, which, change]) => changeLeaf(at, which, change)(records),
        full.records,
      ),
    ),
  );

const applied = (records: Records, changes: readonly Change[]): Records =>
  changes.reduce((changed, change) => change(changed), records);

export interface Tampered {
  readonly before: Records;
  readonly after: Records;
}

/** Ledgers that somebody without a key did something to, once or twice. */
export const tamperedLedger: fc.Arbitrary<Tampered> = fc
  .tuple(fc.constantFrom(full, changing), fc.array(tampering, { minLength: 1, maxLength: 2 }))
  .map(([{ records }, changes]) => ({ before: records, after: applied(records, changes) }));

/** Ledgers that something was done to, with the signing key or without. */
export const changedLedger: fc.Arbitrary<Records> = fc.oneof(
  { weight: 2, arbitrary: forging },
  { weight: 3, arbitrary: tamperedLedger.map(({ after }) => after) },
  { weight: 1, arbitrary: fc.tuple(forging, tampering).map(([records, change]) => change(records)) },
);

export const untouched: readonly Records[] = [full.records, changing.records];

export interface Remembered {
  readonly trust: string;
  readonly checkpoint: string;
}

/** What an auditor brings of one of these ledgers or of none: a key, a checkpoint, '' for neither. */
export const outsideMemory: fc.Arbitrary<Remembered> = fc
  .tuple(
    fc.constantFrom(full, changing),
    fc.constantFrom('one', ...rotatedTo, 'stranger'),
    fc.nat(60),
    fc.nat(3),
  )
  .map(([builder, seed, size, which]) => {
    const { origin } = builder;
    const root = builder.root(Math.min(size, builder.size()));
    return {
      trust: (which & 1) === 0 ? '' : builder.keyOf(seed),
      checkpoint: (which & 2) === 0 ? '' : signNote(seed, origin, size, root),
    };
  });
