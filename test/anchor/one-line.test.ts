/** A file as an anchor, alone: one line at a time, and nothing but a file. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openFileAnchor } from '../../src/anchor/append-file.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdpoint-line-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const clock = { nowMs: () => Date.UTC(2026, 10, 26), monoUs: () => 0 };
const note = Buffer.from('holdpoint/0\n1\nroot\n');
const line = `holdpoint-anchor-1 2026-11-26T00:00:00.000Z ${note.toString('base64')}\n`;
const signal = new AbortController().signal;

function anchorAt(file: string) {
  const anchor = openFileAnchor('vault', file, clock);
  const checkpoint = { origin: 'holdpoint/0', size: 1, root: Buffer.alloc(32), note };
  return () => anchor.send(checkpoint, 0, signal);
}

it('a line that has not been taken yet keeps the next one away, and none after it', async () => {
  const file = join(directory, 'anchors');
  const send = anchorAt(file);
  const both = await Promise.allSettled([send(), send()]);
  expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  expect(both[1]).toMatchObject({
    reason: { code: 'anchor_failed', message: expect.stringContaining('has not taken the last line') },
  });
  await send();
  expect(readFileSync(file, 'utf8')).toBe(line.repeat(2));
});

it('a line that was refused keeps none after it away', async () => {
  const send = anchorAt(join(directory, 'volume', 'anchors'));
  for (const time of [1, 2])
    await expect(send(), String(time)).rejects.toMatchObject({
      message: expect.stringContaining('no such file or directory'),
    });
});

it('what is no file is not written to, and not waited for', async () => {
  const pipe = join(directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  await expect(anchorAt(pipe)()).rejects.toMatchObject({
    code: 'anchor_failed',
    message: expect.stringContaining('is not a file'),
  });
});
