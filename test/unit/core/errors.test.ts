import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../../src/core/errors.ts';

function thrownBy(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

describe('why a file was refused', () => {
  it('is said in words with the code of the system, and without the name that the message has already', () => {
    expect(refusalOf(thrownBy(() => readFileSync('/nowhere/of, open')))).toBe(
      'no such file or directory (ENOENT)',
    );
    expect(refusalOf(thrownBy(() => readFileSync('/')))).toBe('illegal operation on a directory (EISDIR)');
  });

  it('is what was thrown where it was not the system', () => {
    expect(refusalOf(new Error('it is no key'))).toBe('it is no key');
    expect(refusalOf('no')).toBe('no');
  });
});
