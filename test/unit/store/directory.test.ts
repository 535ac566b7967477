import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makePrivateDirectory } from '../../../src/store/directory.ts';

const root = mkdtempSync(join(tmpdir(), 'hp-directory-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('a directory of the data', () => {
  it('is made with what is missing above it, and only its user enters it', () => {
    const path = join(root, 'a', 'b', 'c');
    makePrivateDirectory(path);
    expect([statSync(path).mode & 0o777, statSync(join(root, 'a')).mode & 0o777]).toEqual([0o700, 0o700]);
  });

  it('that is there keeps its mode, also by way of a link', () => {
    const path = join(root, 'there');
    mkdirSync(path, { mode: 0o750 });
    symlinkSync(path, join(root, 'link'));
    makePrivateDirectory(join(root, 'link'));
    expect(statSync(path).mode & 0o777).toBe(0o750);
  });

  it.each([
    ['is a file', () => 'file', 'something of this name that is no directory'],
    ['is below a file', () => join('file', 'data'), 'a part of the path is a file'],
    ['is a link that leads nowhere', () => 'dangling', 'something of this name that is no directory'],
    ['is below a link that leads nowhere', () => join('dangling', 'data'), 'leads nowhere'],
  ])('that %s is refused with where, why and what to do', (_, name, why) => {
    writeFileSync(join(root, 'file'), '');
    rmSync(join(root, 'dangling'), { force: true });
    symlinkSync(join(root, 'nowhere'), join(root, 'dangling'));
    const path = join(root, name());
    expect(() => makePrivateDirectory(path)).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        message: expect.stringMatching(new RegExp(`^The directory ${path} cannot be made: .*${why}`)),
        next: expect.stringContaining('data.dir'),
      }),
    );
  });

  it.runIf(process.platform === 'linux')(
    'on a file system that makes none is refused, and does not hang',
    () => {
      expect(() => makePrivateDirectory('/proc/holdpoint/data')).toThrow('cannot be made');
    },
  );
});
