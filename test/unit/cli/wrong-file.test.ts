/** What is certainly no evidence is a mistake of usage; what may be evidence, however damaged, goes to the verifier. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refuseNoCheckpoint, refuseTextAsExport } from '../../../src/cli/wrong-file.ts';
import { streamOf } from '../../second-opinion/ledgers.ts';
import { buildFullLedger } from '../../support/ledger-builder.ts';

let directory: string;
let file: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdpoint-wrong-file-'));
  file = join(directory, 'file');
});
afterAll(() => rmSync(directory, { recursive: true }));

async function isRefusedAsExport(bytes: Uint8Array | string): Promise<boolean> {
  writeFileSync(file, bytes);
  return refuseTextAsExport(file).then(
    () => false,
    () => true,
  );
}

function isRefusedAsCheckpoint(bytes: Uint8Array | string): boolean {
  try {
    refuseNoCheckpoint('kept.note', Buffer.from(bytes));
    return false;
  } catch {
    return true;
  }
}

describe('an export', () => {
  const stream = streamOf(buildFullLedger().records);

  it('goes to the verifier whichever byte of its begin is another, and wherever it ends', async () => {
    for (let at = 0; at < 40; at += 1) {
      const changed = Buffer.from(stream);
      changed[at] = (changed[at] ?? 0) ^ 0x41;
      expect(await isRefusedAsExport(changed)).toBe(false);
    }
    for (const length of [0, 5, 16, 17, 100])
      expect(await isRefusedAsExport(stream.subarray(0, length))).toBe(false);
  });

  it('goes to the verifier with a text in the place of its first thousand bytes', async () => {
    const changed = Buffer.from(stream);
    changed.fill('x', 0, 1000);
    expect(await isRefusedAsExport(changed)).toBe(false);
  });

  it.each(['proxy: {}\n', '{"id":"d-1"}\r\n', '<html>é 日本</html>', '\t'])(
    'is none that is the text %j',
    async (text) => {
      expect(await isRefusedAsExport(text)).toBe(true);
    },
  );
});

describe('a checkpoint', () => {
  const note =
    'holdpoint.example/a\n41\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n\u2014 holdpoint.example/a 0123abcdAAECAwQFBgcI\n';

  it('goes to the verifier whichever bit of it is another', () => {
    const bytes = Buffer.from(note);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(isRefusedAsCheckpoint(changed)).toBe(false);
    }
  });

  it('goes to the verifier wherever it is cut, at either end', () => {
    const bytes = Buffer.from(note);
    for (let at = 0; at <= bytes.length; at += 1)
      expect(isRefusedAsCheckpoint(bytes.subarray(0, at))).toBe(false);
    const lines = note.split('\n');
    for (let at = 0; at < 5; at += 1) expect(isRefusedAsCheckpoint(lines.slice(at).join('\n'))).toBe(false);
  });

  it('goes to the verifier with any one line of it left among others', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...note.split('\n').slice(1, 5).filter(Boolean)),
        fc.array(fc.string()),
        fc.array(fc.string()),
        (line, before, after) => !isRefusedAsCheckpoint([...before, line, ...after].join('\n')),
      ),
    );
  });

  it.each(['proxy: {}\nlog: {}\n', 'two words', 'a+0123abcd+AZ0l\n', 'HPJ1\0\0 x\ny'])(
    'is none that is %j',
    (text) => {
      expect(isRefusedAsCheckpoint(text)).toBe(true);
    },
  );
});
