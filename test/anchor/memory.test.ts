/** What each anchor acknowledged, over starts: of the same ledger, and of who the anchor was. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type AnchorMemory, openAnchorMemory } from '../../src/anchor/memory.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdpoint-memory-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const origin = 'holdpoint/0';
const open = (places: Readonly<Record<string, string>>, of = origin): AnchorMemory =>
  openAnchorMemory(directory, of, new Map(Object.entries(places)));
const acknowledge = (memory: AnchorMemory, name: string, size: number): Promise<void> =>
  memory.acknowledge(name, { origin, size, root: Buffer.alloc(32), note: Buffer.from('note') }, 1_000, {
    text: '',
    files: [],
  });
const file = (): string => join(directory, 'acknowledged.json');

it('what an anchor acknowledged is known at the next start', async () => {
  await acknowledge(open({ vault: 'file /a' }), 'vault', 7);
  expect(open({ vault: 'file /a' }).of('vault')).toMatchObject({ size: 7, takenMs: 1_000 });
});

it('an anchor that is somebody else by now has acknowledged nothing, and the others what they did', async () => {
  const before = open({ vault: 'file /a?key=SECRET', peer: 'witness k' });
  await acknowledge(before, 'vault', 7);
  await acknowledge(before, 'peer', 5);
  const now = open({ vault: 'file /b', peer: 'witness k' });
  expect([now.of('vault'), now.of('peer')?.size]).toEqual([undefined, 5]);
  expect(readFileSync(file(), 'utf8')).not.toContain('SECRET');
});

it('an anchor that is not configured for a while is known again when it is', async () => {
  await acknowledge(open({ vault: 'file /a' }), 'vault', 7);
  await acknowledge(open({ peer: 'witness k' }), 'peer', 9);
  expect(open({ vault: 'file /a', peer: 'witness k' }).of('vault')?.size).toBe(7);
  expect(open({ vault: 'file /b', peer: 'witness k' }).of('vault')).toBeUndefined();
});

it('what earlier versions wrote, which does not say who it was, still counts', () => {
  const anchors = { vault: { size: 7, takenMs: 1_000 } };
  writeFileSync(file(), JSON.stringify({ version: 1, origin, anchors }));
  expect(open({ vault: 'file /a' }).of('vault')?.size).toBe(7);
});

it('nothing of another ledger is taken over', async () => {
  await acknowledge(open({ vault: 'file /a' }), 'vault', 7);
  expect(open({ vault: 'file /a' }, 'holdpoint/1').of('vault')).toBeUndefined();
});

it('a file that is none, or cannot be read, is refused', () => {
  writeFileSync(file(), '{}');
  expect(() => open({})).toThrow(/What the anchors acknowledged cannot be read/);
});
