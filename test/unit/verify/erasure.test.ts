import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPartCounts, createPartOwners, createPartSet } from '../../../src/ledger/verify/part-set.ts';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { createLedgerBuilder, type Fields, type LedgerBuilder } from '../../support/ledger-builder.ts';
import { dropRecord, type Records, setFields, sourceOf } from '../../support/ledger-tampering.ts';

const request = 'ab'.repeat(8);

const erasure = (targets: readonly (readonly number[])[], others: Fields = {}): Fields => ({
  action: 'erase',
  basis: 'objection',
  by: 'petra',
  final: true,
  request,
  role: 'privacy',
  scope: { subject: 'cd'.repeat(8) },
  targets,
  ...others,
});

interface Scene {
  readonly builder: LedgerBuilder;
  readonly decision: number;
  readonly response: number;
}

/** One closed decision in a block of its own; `omitted` parts of it are not stored. */
function scene(omitted: 'none' | 'response' | 'both' = 'none', close = true): Scene {
  const builder = createLedgerBuilder();
  builder.genesis();
  builder.commit();
  const decision = builder.request();
  const response = builder.response(decision);
  if (omitted !== 'none') builder.omit(response, 0);
  if (omitted === 'both') builder.omit(decision, 0);
  builder.commit();
  if (close) builder.close([[decision, 'delivered']]);
  return { builder, decision, response };
}

function seal(builder: LedgerBuilder, data: Fields): number {
  const seq = builder.seal({ type: 'erasure', data, parts: { reason: 'asked for' } });
  builder.commit();
  return seq;
}

const verify = (records: Records, openBody?: Uint8Array) =>
  verifyLedger(sourceOf(records), openBody === undefined ? {} : { openBody });

const codesOf = async (records: Records): Promise<readonly string[]> =>
  (await verify(records)).findings.map(({ code, seq }) => `${code} at ${seq}`);

describe('an erasure', () => {
  it('explains every part it names, and what is left still opens', async () => {
    const { builder, response } = scene('response');
    seal(builder, erasure([[response, 0]]));
    const verdict = await verify(builder.records, builder.kek);
    expect(verdict.findings).toEqual([]);
    expect(verdict.bodies).toEqual({ stored: 2, checked: 2, opened: 2, erased: 1 });
    expect(verdict.notes.join(' ')).toMatch(/1 part was erased; copies made before/);
  });

  it('of all parts of a block leaves no bodies record', async () => {
    const { builder, decision, response } = scene('both');
    seal(
      builder,
      erasure([
        [decision, 0],
        [response, 0],
      ]),
    );
    const verdict = await verify(builder.records);
    expect([verdict.findings, verdict.bodies.erased]).toEqual([[], 2]);
  });

  it('whose parts are still stored is under way, and no failure', async () => {
    const { builder, decision, response } = scene('response');
    seal(
      builder,
      erasure(
        [
          [decision, 0],
          [response, 0],
        ],
        { final: false },
      ),
    );
    const { ok, bodies, notes } = await verify(builder.records);
    expect([ok, bodies.erased]).toEqual([true, 1]);
    expect(notes.join(' ')).toMatch(
      /1 part that an erasure names is still stored.*1 erasure has no last entry/,
    );
  });

  it('on schedule is made in the name of holdpoint and names its rule', async () => {
    const { builder, response } = scene('response');
    const byRule = { by: 'holdpoint', role: 'retention', basis: 'retention', scope: { rule: 'ninety-days' } };
    seal(builder, erasure([[response, 0]], byRule));
    expect(await codesOf(builder.records)).toEqual([]);
  });

  it('that was refused is told, with the legal hold that stands', async () => {
    const { builder, decision } = scene();
    const hold = { action: 'hold', by: 'petra', role: 'privacy', scope: { decision } };
    builder.seal({ type: 'erasure', data: hold });
    const { targets: _, ...shared } = erasure([]);
    seal(builder, { ...shared, action: 'refuse', cites: 'l-1', decisions: [decision], why: 'legal_hold' });
    const { findings, notes } = await verify(builder.records);
    expect(findings).toEqual([]);
    expect(notes.join(' ')).toMatch(/1 entry refuses an erasure.*1 legal hold stands/);
  });
});

describe('an erasure that may not be', () => {
  it.each([
    ['reviewer', {}],
    ['auditor', {}],
    ['', {}],
    ['retention', {}],
    ['retention', { by: 'holdpoint' }],
    ['retention', { scope: { rule: 'ninety-days' } }],
  ])('in the role %j with %j is named', async (role, others) => {
    const { builder, response } = scene('response');
    const seq = seal(builder, erasure([[response, 0]], { ...others, role }));
    expect(await codesOf(builder.records)).toEqual([`erasure_role_not_allowed at ${seq}`]);
  });

  it('is a body that was taken away with no erasure', async () => {
    const { builder, response } = scene('response');
    builder.commit();
    expect(await codesOf(builder.records)).toEqual([`body_missing at ${response}`]);
  });

  it('is a body that was taken away beside those that were erased', async () => {
    const { builder, decision, response } = scene('both');
    seal(builder, erasure([[response, 0]]));
    expect(await codesOf(builder.records)).toEqual([`body_missing at ${decision}`]);
  });

  it('is an erasure entry altered to name one part more', async () => {
    const { builder, decision, response } = scene('both');
    const seq = builder.seal({ type: 'erasure', data: erasure([[response, 0]]) });
    builder.commit();
    builder.seal({ type: 'stop', data: { reason: 'test' } });
    builder.commit();
    const tampered = setFields(builder.records, seq - 1, 1, {
      data: erasure([
        [decision, 0],
        [response, 0],
      ]),
    });
    expect((await codesOf(tampered))[0]).toBe(`entry_altered at ${seq}`);
  });

  it('is one whose entry was dropped', async () => {
    const { builder, response } = scene('response');
    builder.commit();
    const seq = seal(builder, erasure([[response, 0]]));
    builder.seal({ type: 'stop', data: { reason: 'test' } });
    builder.commit();
    const codes = await codesOf(dropRecord(dropRecord(builder.records, seq, 1), seq, 2));
    expect(codes[0]).toBe(`gap at ${seq}`);
    expect(codes).toContain(`body_missing at ${response}`);
  });

  it('is not said to be unnamed where the entry that may name it is damaged', async () => {
    const { builder, response } = scene('response');
    builder.commit();
    const seq = seal(builder, erasure([[response, 0]]));
    builder.seal({ type: 'stop', data: { reason: 'test' } });
    builder.commit();
    const { findings } = await verify(dropRecord(dropRecord(builder.records, seq, 1), seq, 2));
    const told = findings.find(({ code }) => code === 'body_missing')?.message;
    expect(told).toBe(
      `part 0 of entry ${response} is not stored; if it was erased, the entry that says so is among the damaged ones`,
    );
  });

  it.each([
    ['a part its entry does not have', 1, 1],
    ['an entry without parts', 0, 0],
  ])('names %s', async (_what, target, part) => {
    const { builder } = scene();
    const seq = seal(builder, erasure([[target, part]]));
    expect(await codesOf(builder.records)).toEqual([`erasure_target_unknown at ${seq}`]);
  });

  it('names a part twice, in one entry or in two', async () => {
    const { builder, response } = scene('response');
    const first = seal(
      builder,
      erasure([
        [response, 0],
        [response, 0],
      ]),
    );
    const second = seal(builder, erasure([[response, 0]]));
    expect(await codesOf(builder.records)).toEqual([
      `erasure_repeated at ${first}`,
      `erasure_repeated at ${second}`,
    ]);
  });

  it('names a decision that is still open', async () => {
    const { builder, decision } = scene('none', false);
    const seq = seal(builder, erasure([[decision, 0]]));
    expect(await codesOf(builder.records)).toEqual([`erasure_decision_open at ${seq}`]);
  });

  it('names a decision on which a legal hold stands, until that is lifted', async () => {
    const { builder, decision, response } = scene();
    const person = { by: 'petra', role: 'privacy' };
    const hold = seal(builder, { action: 'hold', scope: { decision }, ...person });
    const seq = seal(builder, erasure([[decision, 0]]));
    seal(builder, { action: 'lift', hold, ...person });
    seal(builder, erasure([[response, 0]]));
    expect(await codesOf(builder.records)).toEqual([`erasure_under_legal_hold at ${seq}`]);
  });

  it('names the answer alone of a decision that is still open', async () => {
    const { builder, decision, response } = scene('response', false);
    const seq = seal(builder, erasure([[response, 0]]));
    const { findings } = await verify(builder.records);
    expect(findings).toMatchObject([{ code: 'erasure_decision_open', seq }]);
    expect(findings[0]?.message).toContain(`decision ${decision} has no outcome yet`);
  });

  it('names what was said and given as a reason about a decision that is still open', async () => {
    const { builder, decision, response } = scene('none', false);
    const hold = builder.hold(decision, response, { digest: builder.c(response, 'response') });
    const comment = builder.about(decision, {
      type: 'access',
      data: { action: 'comment', by: 'ada', role: 'reviewer', decision, hold },
      parts: { comment: 'look at line 3' },
    });
    const ruling = builder.about(decision, {
      type: 'ruling',
      data: {
        ...{ by: 'ada', role: 'reviewer', decision, hold, final: true, verdict: 'release' },
        digest: builder.c(response, 'response'),
      },
      parts: { reason: 'fine' },
    });
    const seq = seal(
      builder,
      erasure([
        [comment, 0],
        [ruling, 0],
      ]),
    );
    expect(await codesOf(builder.records)).toEqual([
      `erasure_decision_open at ${seq}`,
      `erasure_decision_open at ${seq}`,
    ]);
  });

  it('names the answer alone of a decision on which a legal hold stands', async () => {
    const { builder, decision, response } = scene('response');
    seal(builder, { action: 'hold', scope: { decision }, by: 'petra', role: 'privacy' });
    const seq = seal(builder, erasure([[response, 0]]));
    expect(await codesOf(builder.records)).toEqual([`erasure_under_legal_hold at ${seq}`]);
  });

  it('may name the reason of an erasure that was asked of a decision on which a legal hold stands', async () => {
    const { builder, decision, response } = scene('response');
    const first = seal(builder, erasure([[response, 0]], { scope: { decision } }));
    seal(builder, { action: 'hold', scope: { decision }, by: 'petra', role: 'privacy' });
    seal(builder, erasure([[first, 0]]));
    expect(await codesOf(builder.records)).toEqual([]);
  });

  it('may name a decision whose legal hold was lifted', async () => {
    const { builder, decision } = scene();
    const person = { by: 'petra', role: 'privacy' };
    const hold = seal(builder, { action: 'hold', scope: { decision }, ...person });
    seal(builder, { action: 'lift', hold, ...person });
    seal(builder, erasure([[decision, 0]]));
    expect(await codesOf(builder.records)).toEqual([]);
  });

  it('lifts a legal hold a second time', async () => {
    const { builder, decision } = scene();
    const person = { by: 'petra', role: 'privacy' };
    const hold = seal(builder, { action: 'hold', scope: { decision }, ...person });
    seal(builder, { action: 'lift', hold, ...person });
    const seq = seal(builder, { action: 'lift', hold, ...person });
    expect(await codesOf(builder.records)).toEqual([`legal_hold_unknown at ${seq}`]);
  });

  it('places a legal hold in the name of retention', async () => {
    const { builder } = scene();
    const scheduled = { by: 'holdpoint', role: 'retention', scope: { rule: 'ninety-days' } };
    const seq = seal(builder, { action: 'hold', ...scheduled });
    expect(await codesOf(builder.records)).toEqual([`erasure_role_not_allowed at ${seq}`]);
  });

  it('lifts a legal hold that does not stand', async () => {
    const { builder, decision } = scene();
    const seq = seal(builder, { action: 'lift', by: 'petra', hold: decision, role: 'admin' });
    expect(await codesOf(builder.records)).toEqual([`legal_hold_unknown at ${seq}`]);
  });

  it.each([
    ['no basis', { basis: 'because' }],
    ['two scopes', { scope: { decision: 1, subject: 'cd'.repeat(8) } }],
    ['no scope', { scope: {} }],
    ['a target that is no pair', { targets: [[1]] }],
    ['a target that comes later', { targets: [[999, 0]] }],
    ['another action', { action: 'forget' }],
  ])('is malformed with %s', async (_what, others) => {
    const { builder } = scene();
    const seq = seal(builder, erasure([], others));
    expect((await codesOf(builder.records))[0]).toBe(`leaf_malformed at ${seq}`);
  });
});

describe('the memory of parts', () => {
  const place = fc.tuple(fc.nat(3000), fc.nat(255));

  it('is a set, in order', () => {
    fc.assert(
      fc.property(fc.array(place), (places) => {
        const set = createPartSet();
        const model = new Set<number>();
        for (const [seq, part] of places) {
          expect(set.add(seq, part)).toBe(!model.has(seq * 256 + part));
          model.add(seq * 256 + part);
        }
        expect(set.size).toBe(model.size);
        const expected = [...model].sort((a, b) => a - b).map((key) => [Math.floor(key / 256), key % 256]);
        expect([...set.all()]).toEqual(expected);
      }),
    );
  });

  it('keeps the count of parts of each entry', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(3), fc.nat(256))), (counts) => {
        const kept = createPartCounts();
        for (const [seq, count] of counts.entries()) kept.set(seq, count);
        expect(counts.map((_count, seq) => kept.of(seq))).toEqual(counts);
      }),
    );
  });

  it('keeps of which decision each entry is, however long before it began', () => {
    const entry = fc.tuple(fc.nat(300_000), fc.oneof(fc.nat(300), fc.integer({ min: 65_500, max: 140_000 })));
    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        const kept = createPartOwners();
        const model = new Map(entries.map(([seq, back]) => [seq, Math.max(0, seq - back)]));
        for (const [seq, decision] of model) kept.set(seq, decision);
        for (const [seq, decision] of model) expect(kept.of(seq)).toBe(decision);
        expect(kept.of(300_001)).toBe(300_001);
      }),
    );
  });

  it('knows the count after any number of entries without parts', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.integer({ min: 1, max: 256 }), (seq, count) => {
        const kept = createPartCounts();
        kept.set(seq, count);
        expect([kept.of(seq), kept.of(seq + 1)]).toEqual([count, 0]);
      }),
    );
  });
});
