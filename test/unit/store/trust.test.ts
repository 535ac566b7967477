import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { HoldpointError } from '../../../src/core/errors.ts';
import { readTrust, readWitnesses } from '../../../src/store/trust.ts';

const directory = mkdtempSync(join(tmpdir(), 'hp-trust-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('keys to trust', () => {
  it('that stand in a file and are none are told by their line, not by what stands there: it may be a secret', () => {
    const file = join(directory, 'kek.key');
    const secret = Buffer.alloc(32, 7).toString('base64');
    writeFileSync(file, `# a key\n${secret}\n`);
    expect(() => readWitnesses([file])).toThrow(`Line 2 of ${file} is no verifier key`);
    expect(() => readWitnesses([file])).not.toThrow(secret);
  });

  it('that are neither a file nor a key are told by their name', () => {
    expect(() => readWitnesses(['ledger.vkye'])).toThrow('"ledger.vkye" is no file and no key');
  });

  it('come with the command that prints such a key: of a ledger or of a witness', () => {
    const nextOf = (read: () => unknown): string => {
      try {
        read();
      } catch (error) {
        if (error instanceof HoldpointError) return error.next;
      }
      return '';
    };
    expect(nextOf(() => readTrust('garbage'))).toContain('holdpoint keys show');
    expect(nextOf(() => readWitnesses(['garbage']))).toContain('holdpoint keys witness');
  });
});
