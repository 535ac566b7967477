import { describe, expect, it } from 'vitest';
import { type VerifyOptions, verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { createLedgerBuilder, type Fields, signNote, signRotation } from '../../support/ledger-builder.ts';
import { editBlock, editNote, type Records, setFields, sourceOf } from '../../support/ledger-tampering.ts';

const first = 'one';
const second = 'second key';
const third = 'third key';

/** Blocks at 0 (genesis), 1 (a request), 2 (a request and the rotation), 4, 5 (the next rotation) and 6. */
function rotated(data: Fields = {}) {
  const builder = createLedgerBuilder();
  builder.genesis();
  builder.commit();
  const a = builder.request();
  builder.commit();
  const b = builder.request();
  const boundary = builder.rotate(second, data);
  builder.commit();
  builder.close([[a, 'interrupted']]);
  builder.commit();
  builder.rotate(third);
  builder.commit();
  builder.close([[b, 'interrupted']]);
  builder.commit();
  return { ...builder, boundary };
}

const whole = rotated();
const verify = (records: Records, options: VerifyOptions = {}) => verifyLedger(sourceOf(records), options);
const codes = async (records: Records, options: VerifyOptions = {}) =>
  (await verify(records, options)).findings.map(({ code, seq }) => `${code} at ${seq}`);
const [oldKey, newKey] = [whole.keyOf(first), whole.keyOf(second)];
const proofBy = (seed: string, ledger = whole.ledger, seq = whole.boundary): string =>
  signRotation(seed, ledger, seq, oldKey, newKey);

describe('a chain of keys', () => {
  it.each([first, second, third])('verifies whole, whichever of its keys is trusted: %s', async (seed) => {
    const trusted = whole.keyOf(seed);
    const verdict = await verify(whole.records, {
      trustedKeys: [trusted],
      everySignature: true,
      highWater: whole.highWater(),
      openBody: whole.kek,
    });
    expect(verdict.findings).toEqual([]);
    expect(verdict).toMatchObject({
      ok: true,
      keyTrust: 'given',
      trusted: [trusted],
      key: whole.keyOf(third),
    });
    expect(verdict.keys).toEqual([
      { key: oldKey, from: 0 },
      { key: newKey, from: 4 },
      { key: whole.keyOf(third), from: 6 },
    ]);
    expect(verdict.notes.join('\n')).toContain(`Trust comes from the key ${whole.kid(seed)}`);
  });

  it('is not trusted by a key that is not of it', async () => {
    expect(await codes(whole.records, { trustedKeys: [whole.keyOf('stranger')] })).toEqual([
      'key_unknown at 0',
    ]);
  });

  it.each([
    [first, 2, true],
    [first, 4, true],
    [second, 4, true],
    [second, 5, true],
    [second, 2, false],
    [first, 5, false],
    [third, 5, false],
  ])('takes a kept checkpoint by %s over %i entries: %s', async (seed, size, taken) => {
    const checkpoint = signNote(seed, whole.origin, size, whole.root(size));
    const { assurance, findings } = await verify(whole.records, { checkpoint });
    expect(assurance).toBe(taken ? 'ANCHORED' : 'LOCAL');
    expect(findings.map(({ code }) => code)).toEqual(taken ? [] : ['key_unknown']);
  });
});

describe('a rotation', () => {
  it.each<[string, Fields]>([
    ['signed by the new key in place of the old one', { endorsement: proofBy(second) }],
    ['endorsed for another ledger', { endorsement: proofBy(first, 'ff'.repeat(16)) }],
    ['endorsed for another place', { endorsement: proofBy(first, whole.ledger, 9) }],
    [
      'endorsed for another new key',
      { endorsement: signRotation(first, whole.ledger, 3, oldKey, whole.keyOf(third)) },
    ],
    ['endorsed by nobody', { endorsement: Buffer.alloc(64).toString('base64') }],
  ])('is refused when %s', async (_what, data) => {
    expect(await codes(rotated(data).records)).toEqual(['rotation_not_endorsed at 3']);
  });

  it.each<[string, Fields]>([
    ['the old key speaks for the new one', { possession: proofBy(first) }],
    ['the proof is of another place', { possession: proofBy(second, whole.ledger, 9) }],
  ])('is refused without proof of possession: %s', async (_what, data) => {
    expect(await codes(rotated(data).records)).toEqual(['rotation_without_possession at 3']);
  });

  it.each<[string, (text: string) => string]>([
    ['old', (text) => signNote(first, whole.origin, 4, whole.root(4)) + text.slice(text.length)],
    ['new', () => signNote(second, whole.origin, 4, whole.root(4))],
  ])('is refused when its boundary is signed by the %s key alone', async (_which, edit) => {
    expect(await codes(editNote(whole.records, 2, edit))).toEqual(['boundary_half_signed at 2']);
  });

  it('is refused when its boundary is signed by the two in the wrong order', async () => {
    const swapped = signNote(second, whole.origin, 4, whole.root(4), first);
    expect(await codes(editNote(whole.records, 2, () => swapped))).toEqual(['boundary_half_signed at 2']);
  });

  it.each([first, second])('is refused when the signature of %s is over something else', async (seed) => {
    const line = (of: string): string => of.split('\n').find((text) => text.startsWith('\u2014')) ?? '';
    const other = line(signNote(seed, whole.origin, 4, whole.root(3)));
    const own = line(signNote(seed, whole.origin, 4, whole.root(4)));
    const forged = editNote(whole.records, 2, (text) => text.replace(own, other));
    expect(await codes(forged)).toEqual(['signature_invalid at 2']);
  });

  it('cannot hide that a third key signed its boundary', async () => {
    const more = (text: string): string =>
      text + signNote(third, whole.origin, 4, whole.root(4)).split('\n\n')[1];
    expect(await codes(editNote(whole.records, 2, more))).toEqual(['note_malformed at 2']);
  });

  it('is refused with a byte of its checkpoint flipped, wherever', async () => {
    const { length } = signNote(first, whole.origin, 4, whole.root(4), second);
    // Of every 29th byte here; the slow test takes all.
    for (let at = 0; at < length; at += 29) {
      const forged = editBlock(whole.records, 2, ({ leaves, note }) => {
        const flipped = Buffer.from(note);
        flipped[at] = (flipped[at] ?? 0) ^ 1;
        return { leaves, note: flipped };
      });
      expect((await verify(forged)).ok, `byte ${at}`).toBe(false);
    }
  });

  it('does not go back to a key that the ledger was under before', async () => {
    const builder = createLedgerBuilder();
    builder.genesis();
    builder.rotate(second);
    builder.commit();
    builder.rotate(first);
    builder.commit();
    expect(await codes(builder.records)).toContain('rotation_to_former_key at 2');
  });

  it('is the last entry of its block', async () => {
    const builder = createLedgerBuilder();
    builder.genesis();
    builder.rotate(second);
    builder.request();
    builder.commit();
    expect(await codes(builder.records)).toEqual(['key_used_late at 2']);
  });

  it('is refused for a key of another ledger', async () => {
    const key = createLedgerBuilder({ seed: 'two' }).verifierKey;
    expect(await codes(rotated({ key }).records)).toContain('ledger_mismatch at 3');
  });

  it('leaves nothing to tell when its leaf is altered but its hash', async () => {
    expect(await codes(setFields(whole.records, 2, 1, { mono: 999 }))).toContain('entry_altered at 3');
  });
});

describe('the new key', () => {
  const early = (override: Fields, sign: string) => {
    const builder = createLedgerBuilder();
    builder.genesis();
    builder.commit();
    builder.seal({ type: 'stop', data: { reason: 'x' }, override });
    builder.commit();
    builder.rotate(second);
    builder.commit();
    return sign === ''
      ? builder.records
      : editNote(builder.records, 1, () => signNote(sign, builder.origin, 2, builder.root(2)));
  };

  it('is found in an entry before the rotation', async () => {
    expect(await codes(early({ kid: whole.kid(second) }, ''))).toEqual(['key_used_early at 1']);
  });

  it('is found in a checkpoint before the rotation', async () => {
    expect(await codes(early({}, second))).toEqual(['key_used_early at 1']);
  });
});

describe('the old key', () => {
  it('is found in an entry after the rotation', async () => {
    const builder = createLedgerBuilder();
    builder.genesis();
    builder.rotate(second);
    builder.commit();
    builder.seal({ type: 'stop', data: { reason: 'x' }, override: { kid: builder.kid(first) } });
    builder.commit();
    expect(await codes(builder.records)).toEqual(['key_used_late at 2']);
  });

  it('is found in a checkpoint after the rotation', async () => {
    const forged = editNote(whole.records, 4, () => signNote(first, whole.origin, 5, whole.root(5)));
    expect(await codes(forged)).toEqual(['key_used_late at 4']);
  });

  it('cannot go on from before the rotation, to whoever trusts the new one', async () => {
    const fork = createLedgerBuilder();
    fork.genesis();
    fork.commit();
    fork.request();
    fork.commit();
    expect(await codes(fork.records, { trustedKeys: [newKey] })).toEqual(['key_unknown at 0']);
    const remembered = signNote(second, whole.origin, 5, whole.root(5));
    expect(await codes(fork.records, { checkpoint: remembered })).not.toEqual([]);
  });
});
