/** The witness, against every MUST of c2sp.org/tlog-witness: what it cosigns, what it refuses, what it remembers. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Witness } from '../../src/anchor/witness.ts';
import { decodeAddCheckpoint, encodeAddCheckpoint } from '../../src/anchor/witness-request.ts';
import { sha256, sha256Hex } from '../../src/core/bytes.ts';
import { signCheckpoint, signerOf } from '../../src/ledger/checkpoint.ts';
import { checkCosignature, cosignatureOf, parseWitnessKey } from '../../src/ledger/verify/cosignature.ts';
import { parseCheckpoint } from '../../src/ledger/verify/note.ts';
import {
  bodyOf,
  makeLog,
  makeWitnessPlace,
  newKey,
  type WitnessPlace,
  witnessSeconds,
} from './witness-scene.ts';

let place: WitnessPlace;
let witness: Witness;
const logKey = newKey();
const log = makeLog('log.example/one', logKey);
beforeEach(() => {
  place = makeWitnessPlace();
  witness = place.open([log.key]);
});
afterEach(() => place.remove());

const add = (oldSize: number, proof: readonly Buffer[], note: Uint8Array) =>
  witness.addCheckpoint(bodyOf(oldSize, proof, note));
const grow = (from: number, to: number) => add(from, from === 0 ? [] : log.proof(from, to), log.note(to));

describe('a checkpoint that continues the last', () => {
  it('is cosigned so that the portable verifier takes it', async () => {
    const { status, body, type } = await grow(0, 5);
    expect([status, type]).toEqual([200, 'text/plain; charset=utf-8']);
    const note = parseCheckpoint(Buffer.concat([log.note(5), Buffer.from(body)]));
    const key = parseWitnessKey(witness.verifierKey);
    if ('code' in note || 'code' in key) throw new Error('unreadable');
    const cosignature = cosignatureOf(note, key);
    if (cosignature === undefined) throw new Error('no cosignature');
    expect(checkCosignature(note.text, cosignature, key)).toBe(witnessSeconds);
  });

  it('is cosigned at every size in turn, and once more at the same size', async () => {
    for (let size = 1; size < 40; size += 1) expect((await grow(size - 1, size)).status).toBe(200);
    expect((await add(39, [], log.note(39))).status).toBe(200);
  });

  it('is what monitors are given, with the signature of the log and ours', async () => {
    await grow(0, 7);
    const latest = witness.latest(sha256Hex(log.signer.origin))?.toString('utf8') ?? '';
    expect(latest.startsWith(log.note(7).toString('utf8'))).toBe(true);
    expect(latest.trimEnd().split('\n').at(-1)).toMatch(/^\u2014 witness\.example\/w1 /);
  });
});

describe('refused', () => {
  it('an origin that is not known: 404', async () => {
    const other = makeLog('log.example/two');
    expect((await add(0, [], other.note(3))).status).toBe(404);
  });

  it('a signature of no known key: 403', async () => {
    expect((await add(0, [], makeLog('log.example/one').note(3))).status).toBe(403);
  });

  it('a signature in a known key’s name that fails, even beside one that holds: 403', async () => {
    const note = log.note(3).toString('utf8');
    const forged = log.note(4).toString('utf8').split('\n').at(-2) ?? '';
    expect((await add(0, [], Buffer.from(`${note}${forged}\n`))).status).toBe(403);
  });

  it('an old size above the new one: 400', async () => {
    expect((await add(4, [], log.note(3))).status).toBe(400);
  });

  it('an old size that is not the one remembered: 409 with the one that is', async () => {
    await grow(0, 5);
    expect(await add(4, log.proof(4, 8), log.note(8))).toEqual({
      status: 409,
      type: 'text/x.tlog.size',
      body: '5\n',
    });
  });

  it('a rollback: 409, and the longer tree stays', async () => {
    await grow(0, 9);
    expect((await add(0, [], log.note(5))).status).toBe(409);
    expect((await add(5, [], log.note(5))).body).toBe('9\n');
  });

  it('a fork: 422, whichever proof comes with it', async () => {
    await grow(0, 5);
    const fork = makeLog('log.example/one', logKey, 3);
    for (const proof of [fork.proof(5, 8), log.proof(5, 8), []])
      expect((await add(5, proof, fork.note(8))).status).toBe(422);
    expect((await add(5, [], fork.note(5))).status).toBe(422);
    expect((await grow(5, 8)).status).toBe(200);
  });

  it('a proof where there is nothing to prove: 422', async () => {
    expect((await add(0, [log.root(1)], log.note(3))).status).toBe(422);
  });

  it('a tree of no leaves with a root: 422, and the empty tree itself is cosigned', async () => {
    const at = (root: Buffer) => add(0, [], signCheckpoint(log.signer, 0, root));
    expect((await at(log.root(1))).status).toBe(422);
    expect((await at(sha256(Buffer.alloc(0)))).status).toBe(200);
    expect((await grow(0, 3)).status).toBe(200);
  });

  it.each([
    'old 00\n\n',
    'old 01\n\n',
    'old -1\n\n',
    'old  1\n\n',
    'OLD 1\n\n',
    'old 0\r\n\n',
    'old 9007199254740993\n\n',
    'old 0\nAAAA\n\n',
    `old 0\n${'A'.repeat(44)}\n\n`,
    `old 0\n${`${log.root(1).toString('base64')}\n`.repeat(64)}\n`,
    '',
  ])('a body that begins %j: 400', async (head) => {
    const body = Buffer.concat([Buffer.from(head), log.note(3)]);
    expect((await witness.addCheckpoint(body)).status).toBe(400);
  });

  it('a note with lines of extension: 400', async () => {
    const text = `${log.signer.origin}\n3\n${log.root(3).toString('base64')}\nmore\n\n\u2014 x AAAAAAA=\n`;
    expect((await witness.addCheckpoint(Buffer.from(`old 0\n\n${text}`))).status).toBe(400);
  });
});

describe('what it remembers', () => {
  it('is on disk before it answers, and outlives the process', async () => {
    await grow(0, 5);
    const reopened = place.open([log.key]);
    expect((await reopened.addCheckpoint(bodyOf(0, [], log.note(6)))).body).toBe('5\n');
    expect((await reopened.addCheckpoint(bodyOf(5, log.proof(5, 6), log.note(6)))).status).toBe(200);
  });

  it('is compared and replaced in one step: of two that race from one size, one is cosigned', async () => {
    await grow(0, 4);
    const answers = await Promise.all([grow(4, 20), grow(4, 9), grow(4, 30)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 409, 409]);
    expect(answers[1]?.body).toBe('20\n');
  });

  it('is not cosigned when it cannot be written, and goes on from the disk when it can', async () => {
    await grow(0, 4);
    const file = join(place.directory, sha256Hex(log.signer.origin));
    const whole = readFileSync(file);
    rmSync(place.directory, { recursive: true });
    await expect(grow(4, 6)).rejects.toThrow();
    mkdirSync(place.directory);
    writeFileSync(file, whole);
    expect((await grow(4, 6)).status).toBe(200);
  });

  it.each([
    ['altered', (bytes: Buffer) => Buffer.from(bytes.toString('utf8').replace('\n4\n', '\n3\n'))],
    ['emptied', () => Buffer.alloc(0)],
    ['cut', (bytes: Buffer) => bytes.subarray(0, 80)],
  ])('is never forgotten in silence: %s, the witness does not start', async (_how, spoil) => {
    await grow(0, 4);
    const file = join(place.directory, sha256Hex(log.signer.origin));
    writeFileSync(file, spoil(readFileSync(file)));
    expect(() => place.open([log.key])).toThrow(/cannot be read/);
  });

  it('is what the disk has where it is not known whether the last one was written', async () => {
    await grow(0, 4);
    const file = join(place.directory, sha256Hex(log.signer.origin));
    mkdirSync(`${file}.new`);
    await expect(grow(4, 8)).rejects.toThrow();
    rmSync(`${file}.new`, { recursive: true });
    // As if it had come to its place before the disk failed: written by the same witness from the same beginning.
    const other = place.open([log.key]);
    await other.addCheckpoint(bodyOf(4, log.proof(4, 8), log.note(8)));
    const fork = makeLog(log.signer.origin, logKey, 5);
    expect(await add(4, fork.proof(4, 7), fork.note(7))).toMatchObject({ status: 409, body: '8\n' });
    expect((await grow(8, 9)).status).toBe(200);
  });

  it('is of one ledger: that of another in its place keeps the witness from starting', async () => {
    const another = makeLog('log.example/two');
    const both = place.open([log.key, another.key]);
    await both.addCheckpoint(bodyOf(0, [], another.note(4)));
    const fileOf = (origin: string): string => join(place.directory, sha256Hex(origin));
    writeFileSync(fileOf(log.signer.origin), readFileSync(fileOf(another.signer.origin)));
    expect(() => place.open([log.key])).toThrow(/not a checkpoint that this witness cosigned/);
  });

  it('takes more than one key of an origin', async () => {
    const next = newKey();
    const rotated = signerOf(log.signer.origin, next);
    const both = place.open([log.key, makeLog(log.signer.origin, next).key]);
    expect((await both.addCheckpoint(bodyOf(0, [], log.note(3)))).status).toBe(200);
    const note = signCheckpoint(rotated, 5, log.root(5));
    expect((await both.addCheckpoint(bodyOf(3, log.proof(3, 5), note))).status).toBe(200);
  });

  it('is bounded: many at once for one origin are turned away', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => grow(0, 3)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409, 503]));
  });
});

describe('the example of the specification', () => {
  const example = [
    'old 20852014',
    'PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=',
    'jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=',
    '5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=',
    '/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=',
    '',
    'example.com/behind-the-sofa',
    '20852163',
    'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=',
    '',
    '\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=',
    '\u2014 example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=',
    '',
  ].join('\n');

  it('is read, and written the same', () => {
    const request = decodeAddCheckpoint(Buffer.from(example));
    if (request === null) throw new Error('refused');
    expect([request.oldSize, request.proof.length]).toEqual([20_852_014, 4]);
    expect(parseCheckpoint(request.note)).toMatchObject({ size: 20_852_163 });
    expect(encodeAddCheckpoint(request).toString('utf8')).toBe(example);
  });
});

describe('any body', () => {
  it('that is written is read back the same', () => {
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.array(hash, { maxLength: 63 }),
        fc.uint8Array({ maxLength: 200 }),
        (oldSize, proof, note) => {
          const read = decodeAddCheckpoint(encodeAddCheckpoint({ oldSize, proof, note }));
          expect(read?.oldSize).toBe(oldSize);
          expect(read?.proof.map((each) => Buffer.from(each))).toEqual(
            proof.map((each) => Buffer.from(each)),
          );
          expect(Buffer.from(read?.note ?? [])).toEqual(Buffer.from(note));
        },
      ),
    );
  });

  it('is answered, never thrown at', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        expect((await witness.addCheckpoint(Buffer.from(bytes))).status).toBe(400);
      }),
      { numRuns: 300 },
    );
  });
});
