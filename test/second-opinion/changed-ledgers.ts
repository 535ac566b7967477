/** verify.py on ledgers whose keys changed, whose parts were erased, and that were restored: the same causes as ours, as a specification. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  createLedgerBuilder,
  type Fields,
  type LedgerBuilder,
  type LedgerRecord,
  signNote,
  signRotation,
} from '../support/ledger-builder.ts';
import { dropRecord, editNote, type Records, setFields } from '../support/ledger-tampering.ts';
import { brokenSigned, built as builtSigned, intactSigned } from '../support/signed-ledger.ts';
import { type Folder, makeFolder, streamOf } from './ledgers.ts';
import { missing, ours, second } from './opinions.ts';

const [first, next, third] = ['one', 'second key', 'third key'];

const built = (make: (builder: LedgerBuilder) => void): LedgerBuilder => {
  const builder = createLedgerBuilder();
  builder.genesis();
  builder.commit();
  make(builder);
  builder.commit();
  return builder;
};
const recordsOf = (make: (builder: LedgerBuilder) => void): Records => built(make).records;

/** Blocks at 0, 1 (a request), 2 (a request and the rotation), 4, 5 (the next rotation) and 6. */
const rotated = (data: Fields = {}): LedgerBuilder =>
  built((builder) => {
    const a = builder.request();
    builder.commit();
    const b = builder.request();
    builder.rotate(next, data);
    builder.commit();
    builder.close([[a, 'interrupted']]);
    builder.commit();
    builder.rotate(third);
    builder.commit();
    builder.close([[b, 'interrupted']]);
  });
const whole = rotated();
const proofBy = (seed: string, ledger = whole.ledger, seq = 3): string =>
  signRotation(seed, ledger, seq, whole.keyOf(first), whole.keyOf(next));
const noted = (seed: string, also?: string): string => signNote(seed, whole.origin, 4, whole.root(4), also);

/** Entries 0 to 3 under the first key, which entry 4 revokes down to `size`. */
const revoked = (size: number, of = first): LedgerBuilder =>
  built((builder) => {
    const decision = builder.request();
    builder.commit();
    builder.close([[decision, 'interrupted']]);
    builder.rotate(next);
    builder.commit();
    const key = builder.keyOf(of);
    builder.seal({ type: 'key', data: { action: 'revoke', by: 'olga', key, reason: 'stolen', size } });
  });

const kek = { by: 'olga', reason: 'yearly', kek: '0a1b2c3d' };
const boxes = [['0a1b2c3d', Buffer.alloc(104, 7).toString('base64')]];
const to = Buffer.alloc(32, 9).toString('base64');
const epochs = (data: Fields): ((builder: LedgerBuilder) => void) => {
  return (builder) => {
    builder.request();
    builder.commit();
    builder.seal({ type: 'key', data });
  };
};

const erasure = (targets: readonly (readonly number[])[], others: Fields = {}): Fields => ({
  action: 'erase',
  basis: 'objection',
  by: 'petra',
  final: true,
  request: 'ab'.repeat(8),
  role: 'privacy',
  scope: { subject: 'cd'.repeat(8) },
  targets,
  ...others,
});
const person = { by: 'petra', role: 'privacy' };

/** A request at 1 and its response at 2, closed by 3 unless `open`; then what is sealed, each in a block of its own. */
const erased = (omitted: readonly number[], data: readonly Fields[], open = false) => {
  return (builder: LedgerBuilder): void => {
    builder.request();
    builder.response(1);
    for (const seq of omitted) builder.omit(seq, 0);
    builder.commit();
    if (!open) builder.close([[1, 'delivered']]);
    for (const one of data) {
      builder.commit();
      builder.seal({ type: 'erasure', data: one, parts: { reason: 'asked for' } });
    }
  };
};

const restore = {
  backup: 'ef'.repeat(32),
  found: 3,
  lost: 2,
  outcomes: [],
  reason: 'restore',
  taken: 'then',
};
const told = { at: '2026-11-26T08:15:00.000Z', by: 'loans', decider: 'engine', id: 'e-1', outcome: 'denied' };
const reported = (outcome: string, others: Fields = {}, answer: Fields = {}) => {
  return (builder: LedgerBuilder): void => {
    const decision = builder.request({ reported: told, ...others });
    builder.response(decision, { reported: true, ...answer });
    builder.close([[decision, outcome]]);
  };
};

const restored = (data: Fields = {}) => {
  return (builder: LedgerBuilder): void => {
    const decision = builder.request();
    builder.response(decision);
    builder.commit();
    builder.restart();
    builder.seal({ type: 'recovery', data: { ...restore, ...data } });
    builder.commit();
    builder.recover([[decision, 'interrupted']]);
  };
};

/** What verifies. */
const intact: Readonly<Record<string, Records>> = {
  'rotated twice': whole.records,
  'with a key revoked down to what it signed': revoked(4).records,
  'with another epoch of the key-encryption key': recordsOf(epochs({ action: 'epoch', ...kek })),
  'with an epoch in escrow': recordsOf(epochs({ action: 'epoch', ...kek, boxes, to })),
  'with the keys of a start in escrow': recordsOf(
    epochs({ action: 'escrow', by: 'holdpoint', reason: 'start', boxes, to }),
  ),
  'with a retired key-encryption key': recordsOf(epochs({ action: 'retire', ...kek })),
  'with a response erased': recordsOf(erased([2], [erasure([[2, 0]])])),
  'with both parts of a block erased': recordsOf(
    erased(
      [1, 2],
      [
        erasure([
          [1, 0],
          [2, 0],
        ]),
      ],
    ),
  ),
  'with an erasure under way': recordsOf(erased([], [erasure([[2, 0]], { final: false })])),
  'with an erasure on schedule': recordsOf(
    erased(
      [2],
      [erasure([[2, 0]], { by: 'holdpoint', role: 'retention', basis: 'retention', scope: { rule: 'r' } })],
    ),
  ),
  'with a legal hold, an erasure refused for it, and the hold lifted': recordsOf((builder) => {
    const { targets: _, ...shared } = erasure([]);
    const refusal = { ...shared, action: 'refuse', cites: 'l-4', decisions: [1], why: 'legal_hold' };
    erased(
      [],
      [
        { action: 'hold', scope: { decision: 1 }, ...person },
        refusal,
        { action: 'lift', hold: 4, ...person },
        erasure([[1, 0]]),
      ],
    )(builder);
  }),
  'restored from a backup': recordsOf(restored()),
  'with a decision that was made elsewhere': recordsOf(reported('reported')),
  'with a reported decision that a crash interrupted': recordsOf(reported('interrupted')),
};

const stop = (builder: LedgerBuilder, override: Fields): void => {
  builder.seal({ type: 'stop', data: { reason: 'x' }, override });
};
const early = (override: Fields): Records =>
  recordsOf((builder) => {
    stop(builder, override);
    builder.commit();
    builder.rotate(next);
  });

/** What is done to such a ledger. */
const tampered: Readonly<Record<string, Records>> = {
  'an endorsement by the new key': rotated({ endorsement: proofBy(next) }).records,
  'an endorsement for another ledger': rotated({ endorsement: proofBy(first, 'ff'.repeat(16)) }).records,
  'an endorsement for another place': rotated({ endorsement: proofBy(first, whole.ledger, 9) }).records,
  'an endorsement of zeros': rotated({ endorsement: Buffer.alloc(64).toString('base64') }).records,
  'an endorsement that is too short': rotated({ endorsement: 'AAAA' }).records,
  'an endorsement that is no base64': rotated({ endorsement: '?' }).records,
  'no proof of possession': rotated({ possession: proofBy(first) }).records,
  'a new key of another ledger': rotated({ key: createLedgerBuilder({ seed: 'two' }).verifierKey }).records,
  'a new key that is none': rotated({ key: 'key' }).records,
  'a boundary signed by the old key alone': editNote(whole.records, 2, () => noted(first)),
  'a boundary signed by the new key alone': editNote(whole.records, 2, () => noted(next)),
  'a boundary signed in the other order': editNote(whole.records, 2, () => noted(next, first)),
  'a boundary with a third signature': editNote(
    whole.records,
    2,
    (text) => text + (noted(third).split('\n\n')[1] ?? ''),
  ),
  'a boundary with a signature over something else': editNote(whole.records, 2, (text) => {
    const other = signNote(first, whole.origin, 4, whole.root(3)).split('\n\n')[1] ?? '';
    return text.replace(noted(first).split('\n\n')[1] ?? '', other);
  }),
  'a rotation back': recordsOf((builder) => {
    builder.rotate(next);
    builder.commit();
    builder.rotate(first);
  }),
  'an entry after the rotation in its block': recordsOf((builder) => {
    builder.rotate(next);
    builder.request();
  }),
  'an altered rotation': setFields(whole.records, 2, 1, { mono: 999 }),
  'an entry under the new key before the rotation': early({ kid: whole.kid(next) }),
  'an entry under a key that never comes': early({ kid: '01234567' }),
  'a checkpoint by the new key before the rotation': editNote(early({}), 1, () => {
    const builder = built((one) => stop(one, {}));
    return signNote(next, builder.origin, 2, builder.root(2));
  }),
  'an entry under the old key after the rotation': recordsOf((builder) => {
    builder.rotate(next);
    builder.commit();
    stop(builder, { kid: builder.kid(first) });
  }),
  'a checkpoint by the old key after the rotation': editNote(whole.records, 4, () =>
    signNote(first, whole.origin, 5, whole.root(5)),
  ),
  'a last checkpoint by the old key': editNote(whole.records, 6, () =>
    signNote(first, whole.origin, 7, whole.root(7)),
  ),
  'a last checkpoint signed over something else': editNote(whole.records, 6, (text) =>
    text.replace(/\u2014.*\n/, signNote(third, whole.origin, 7, whole.root(6)).split('\n\n')[1] ?? ''),
  ),
  'a rotation dropped': dropRecord(dropRecord(whole.records, 2, 1), 2, 2),
  'a key revoked below what it signed': revoked(2).records,
  'the key in use revoked': revoked(4, next).records,
  'a stranger revoked': revoked(4, 'stranger').records,
  'a revocation of more than there was': revoked(5).records,
  'an epoch of no key': recordsOf(epochs({ action: 'epoch', by: 'olga', reason: 'yearly' })),
  'a box that is too short': recordsOf(
    epochs({ action: 'epoch', ...kek, boxes: [['0a1b2c3d', 'AAAA']], to }),
  ),
  'an unknown action on keys': recordsOf(epochs({ action: 'lose', ...kek })),
  'a part gone without an erasure': recordsOf(erased([2], [])),
  'a part gone beside one that was erased': recordsOf(erased([1, 2], [erasure([[2, 0]])])),
  'all parts gone without an erasure': recordsOf(erased([1, 2], [])),
  'an erasure by a reviewer': recordsOf(erased([2], [erasure([[2, 0]], { role: 'reviewer' })])),
  'a scheduled erasure by a person': recordsOf(
    erased([2], [erasure([[2, 0]], { role: 'retention', scope: { rule: 'r' } })]),
  ),
  'a scheduled erasure without a rule': recordsOf(
    erased([2], [erasure([[2, 0]], { role: 'retention', by: 'holdpoint' })]),
  ),
  'an erasure of a part that is not there': recordsOf(erased([], [erasure([[1, 1]])])),
  'an erasure of an entry without parts': recordsOf(erased([], [erasure([[0, 0]])])),
  'an erasure of a later entry': recordsOf(erased([], [erasure([[99, 0]])])),
  'a part erased twice': recordsOf(erased([2], [erasure([[2, 0]]), erasure([[2, 0]])])),
  'an open decision erased': recordsOf(erased([], [erasure([[1, 0]])], true)),
  'an erasure under a legal hold': recordsOf(
    erased([], [{ action: 'hold', scope: { decision: 1 }, ...person }, erasure([[1, 0]])]),
  ),
  'a legal hold lifted that does not stand': recordsOf(erased([], [{ action: 'lift', hold: 1, ...person }])),
  'a legal hold by a viewer': recordsOf(
    erased([], [{ action: 'hold', scope: { decision: 1 }, by: 'eve', role: 'viewer' }]),
  ),
  'an erasure with two scopes': recordsOf(
    erased([], [erasure([], { scope: { decision: 1, subject: 'cd'.repeat(8) } })]),
  ),
  'an erasure on another ground': recordsOf(erased([], [erasure([], { basis: 'because' })])),
  'an erasure altered to name one part more': setFields(
    recordsOf(erased([1, 2], [erasure([[2, 0]])])),
    4,
    0,
    {
      data: erasure([
        [1, 0],
        [2, 0],
      ]),
    },
  ),
  'an erasure dropped': dropRecord(
    dropRecord(recordsOf(erased([2], [erasure([[2, 0]]), erasure([[1, 0]])])), 4, 1),
    4,
    2,
  ),
  'a reported decision that was delivered': recordsOf(reported('delivered')),
  'an exchange that is closed as reported': recordsOf((b) => b.close([[b.request(), 'reported']])),
  'a reported decision that a rule denied': recordsOf(reported('reported', {}, { verdict: 'deny' })),
  'a reported decision by nobody': recordsOf(reported('reported', { reported: { ...told, by: '' } })),
  'a reported decision at no time': recordsOf(reported('reported', { reported: { ...told, at: 'then' } })),
  'a reported decision that was held': recordsOf(reported('reported', { verdict: 'hold' })),
  'a restore that found fewer entries': recordsOf(restored({ found: 2 })),
  'a restore that closes a decision': recordsOf(restored({ outcomes: [[1, 'interrupted']] })),
  'a restore from no backup': recordsOf(restored({ backup: '' })),
  'a restore that hides what was lost': setFields(recordsOf(restored()), 3, 0, {
    data: { ...restore, lost: 0 },
  }),
};

/** Asks for every `step`th of the ledgers above. */
export function describeChanged(step: number): void {
  const chosen = (ledgers: Readonly<Record<string, unknown>>): string[] =>
    Object.keys(ledgers).filter((_, at) => at % step === 0);

  describe.skipIf(missing.length > 0)('a second opinion on a ledger', () => {
    let folder: Folder;
    beforeAll(() => {
      folder = makeFolder();
    });
    afterAll(() => folder.remove());

    const both = async (
      name: string,
      records: readonly LedgerRecord[],
      trust?: string,
      checkpoint?: string,
    ) => {
      const bytes = streamOf(records);
      const kept = checkpoint === undefined ? [] : ['--checkpoint', folder.write(`${name}.note`, checkpoint)];
      const [mine, opinion] = await Promise.all([
        ours(bytes, {
          ...(trust === undefined ? {} : { trustedKeys: [trust] }),
          ...(checkpoint === undefined ? {} : { checkpoint }),
        }),
        second(folder.write(name, bytes), ...(trust === undefined ? [] : ['--trust', trust]), ...kept),
      ]);
      const said = (findings: readonly { readonly code: string; readonly seq: number }[]) =>
        findings.slice(0, 1).map(({ code, seq }) => `${code} at ${seq}`);
      return { mine: said(mine.findings), opinion: said(opinion.findings), roots: [mine.root, opinion.root] };
    };

    it.each(chosen(intact))('agrees that one is intact: %s', async (name) => {
      const { mine, opinion, roots } = await both(name, intact[name] ?? []);
      expect([mine, opinion]).toEqual([[], []]);
      expect(roots[1]).toBe(roots[0]);
    });

    it.each(chosen(tampered))('names the same first cause: %s', async (name) => {
      const { mine, opinion } = await both(name, tampered[name] ?? []);
      expect(mine).toHaveLength(1);
      expect(opinion).toEqual(mine);
    });

    it.each(chosen(intactSigned))('agrees that rulings are signed: %s', async (name) => {
      const { mine, opinion } = await both(
        name,
        builtSigned(intactSigned[name] ?? (() => undefined)).records,
      );
      expect([mine, opinion]).toEqual([[], []]);
    });

    it.each(chosen(brokenSigned))('names the same fault of a signed ruling: %s', async (name) => {
      const [make, code] = brokenSigned[name] ?? [() => undefined, ''];
      const { mine, opinion } = await both(name.replaceAll('/', '-'), builtSigned(make).records);
      expect([mine, opinion]).toEqual([[code], [code]]);
    });

    it.each([first, next, third, 'stranger'])(
      'trusts a chain of keys by any one of them alone: %s',
      async (seed) => {
        const { mine, opinion } = await both(`trusted ${seed}`, whole.records, whole.keyOf(seed));
        expect(mine).toEqual(seed === 'stranger' ? ['key_unknown at 0'] : []);
        expect(opinion).toEqual(mine);
      },
    );

    it.each([
      [first, 2, []],
      [first, 4, []],
      [next, 4, []],
      [next, 5, []],
      [next, 2, ['key_unknown at -1']],
      [first, 5, ['key_unknown at -1']],
    ])('takes a kept checkpoint by %s over %i entries as we do', async (seed, size, found) => {
      const kept = signNote(seed, whole.origin, size, whole.root(size));
      const { mine, opinion } = await both(`kept ${seed} ${size}`, whole.records, undefined, kept);
      expect([mine, opinion]).toEqual([found, found]);
    });

    it.each([
      [2, undefined, 1, ['key_revoked at 2']],
      [2, undefined, 4, []],
      [4, first, undefined, ['key_revoked at 4']],
      [4, first, 4, []],
      [4, next, undefined, []],
    ])(
      'of a key revoked down to %i, with %s trusted and a checkpoint over %s: %j',
      async (size, trust, kept, found) => {
        const builder = revoked(size);
        const note =
          kept === undefined
            ? undefined
            : signNote(kept < 4 ? first : next, builder.origin, kept, builder.root(kept));
        const key = trust === undefined ? undefined : builder.keyOf(trust);
        const { mine, opinion } = await both(`revoked ${size} ${trust} ${kept}`, builder.records, key, note);
        expect([mine, opinion]).toEqual([found, found]);
      },
    );

    it('agrees on the worked example whose signing key changes', async () => {
      const example = z
        .object({ records: z.array(z.object({ key: z.string(), value: z.string() })) })
        .parse(
          JSON.parse(readFileSync(new URL('../golden/ledger/rotation-1.json', import.meta.url), 'utf8')),
        );
      const written = example.records.map(({ key, value }) => ({
        key: Buffer.from(key, 'hex'),
        value: Buffer.from(value, 'hex'),
      }));
      const { mine, opinion, roots } = await both('rotation example', written);
      expect([mine, opinion]).toEqual([[], []]);
      expect(roots[1]).toBe(roots[0]);
    });
  });
}
