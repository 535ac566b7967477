/** A small file system of its own, to be full or read-only. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Its directory; null where this user may not mount one. */
export function mountSmall(megabytes: number): string | null {
  const directory = mkdtempSync(join(tmpdir(), 'holdpoint-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', directory], { stdio: 'pipe' });
    return directory;
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    if (process.env['CI'] === 'true' && process.getuid?.() === 0) throw error;
    return null;
  }
}

export function unmount(directory: string): void {
  execFileSync('umount', [directory], { stdio: 'pipe' });
  rmSync(directory, { recursive: true, force: true });
}
