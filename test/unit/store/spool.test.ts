import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createSpools } from '../../../src/store/spool.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdpoint-spool-'));
const bounds = { bodyBytesMax: 1 << 20, totalBytesMax: 3 << 19 };
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function readAll(chunks: AsyncGenerator<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

describe('a spool', () => {
  it('gives back what it took, as often as it is asked, with its length and hash', async () => {
    const bytes = randomBytes(700_001);
    const writer = await createSpools(directory, bounds)();
    for (let at = 0; at < bytes.length; at += 65_537) await writer.write(bytes.subarray(at, at + 65_537));
    const spool = await writer.finish();
    expect(spool.bytes).toBe(bytes.length);
    expect(spool.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect((await readAll(spool.read())).equals(bytes)).toBe(true);
    expect((await readAll(spool.read())).equals(bytes)).toBe(true);
    await spool.close();
  });

  it('leaves no name in its directory and no plain byte on the disk', async () => {
    const writer = await createSpools(directory, bounds)();
    await writer.write(Buffer.alloc(4096, 'secret'));
    expect(readdirSync(directory)).toEqual([]);
    const open = readdirSync('/proc/self/fd')
      .map((fd) => `/proc/self/fd/${fd}`)
      .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true)
      .map((path) => readFileSync(path));
    const spooled = open.filter((bytes) => bytes.length === 4096);
    expect(spooled.length).toBeGreaterThan(0);
    for (const bytes of spooled) expect(bytes.includes('secret')).toBe(false);
    await writer.discard();
  });

  it('makes its directory again where somebody took it away', async () => {
    const openSpool = createSpools(directory, bounds);
    await (await openSpool()).discard();
    rmSync(directory, { recursive: true });
    await (await openSpool()).discard();
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  it('refuses a body with overloaded, and says where, when its directory cannot be made', async () => {
    const file = join(directory, 'file');
    mkdirSync(directory, { recursive: true });
    writeFileSync(file, '');
    await expect(createSpools(join(file, 'spool'), bounds)()).rejects.toMatchObject({
      code: 'overloaded',
      message: expect.stringContaining(join(file, 'spool')),
    });
  });

  it('refuses a body over its bound with body_too_large', async () => {
    const writer = await createSpools(directory, bounds)();
    await expect(writer.write(Buffer.alloc(bounds.bodyBytesMax + 1))).rejects.toMatchObject({
      code: 'body_too_large',
    });
    await writer.discard();
  });

  it('gives its room back once, however often it is let go', async () => {
    const openSpool = createSpools(directory, bounds);
    const kept = await openSpool();
    await kept.write(Buffer.alloc(bounds.bodyBytesMax));
    const gone = await openSpool();
    await gone.write(Buffer.alloc(1024));
    const spool = await gone.finish();
    for (const letGo of [spool.close, gone.discard, spool.close]) await letGo();
    const last = await openSpool();
    await expect(
      last.write(Buffer.alloc(bounds.totalBytesMax - bounds.bodyBytesMax + 1)),
    ).rejects.toMatchObject({ code: 'overloaded' });
    for (const writer of [kept, last]) await writer.discard();
  });

  it('holds no file open, and no place on the disk, once it is let go', async () => {
    const before = readdirSync('/proc/self/fd').length;
    const writer = await createSpools(directory, bounds)();
    await writer.write(Buffer.alloc(1024));
    await (await writer.finish()).close();
    expect(readdirSync('/proc/self/fd')).toHaveLength(before);
  });

  it('refuses a body that alone is larger than all may be, which no retry would change', async () => {
    const writer = await createSpools(directory, { ...bounds, totalBytesMax: 4096 })();
    await writer.write(Buffer.alloc(4096));
    await expect(writer.write(Buffer.alloc(1))).rejects.toMatchObject({
      code: 'body_too_large',
      next: 'Raise limits.spoolBytesMax if such calls are meant.',
    });
    await writer.discard();
  });

  it('refuses what all bodies together have no room for, until some are let go', async () => {
    const openSpool = createSpools(directory, bounds);
    const first = await openSpool();
    await first.write(Buffer.alloc(bounds.bodyBytesMax));
    const second = await openSpool();
    await expect(second.write(Buffer.alloc(bounds.bodyBytesMax))).rejects.toMatchObject({
      code: 'overloaded',
    });
    await first.discard();
    await second.write(Buffer.alloc(bounds.bodyBytesMax));
    await second.discard();
  });
});
