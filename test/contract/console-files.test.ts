/** The console's page, script and style as a browser fetches them; what they do is in test/browser. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeConsole } from '../../src/control/console-bundle.ts';
import { type House, startHouse } from './support/sidecar.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.close());

interface Fetched {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly bytes: Buffer;
}

/** As bytes: `fetch` would undo a coding by itself. */
function fetched(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Fetched> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, house.sidecar.controlUrl), { headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, bytes: Buffer.concat(chunks) }),
      );
    });
    sent.once('error', reject).end();
  });
}

const assets = ['/console/console.js', '/console/console.css'];

describe("the console's files", () => {
  it('are a page, the script and the style that it names, and no more', async () => {
    const { headers, bytes } = await fetched('/');
    const named = [...String(bytes).matchAll(/(?:src|href)="(\/[^"]*)"/g)].map(([, path]) => path);
    expect(named.sort()).toEqual(assets.toSorted());
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
    });
  });

  it('import nothing, so that a browser asks for nothing else', async () => {
    const { bytes } = await fetched('/console/console.js');
    expect(bytes.length).toBeGreaterThan(100_000);
    expect(String(bytes)).not.toMatch(/(?:^|[;}\n])import\b/);
    const style = String((await fetched('/console/console.css')).bytes);
    expect(style.length).toBeGreaterThan(10_000);
    expect(style).not.toMatch(/@import|url\((?!["']?data:)/);
  });

  it.each(assets)('%s comes with gzip where that is taken, the same bytes either way', async (path) => {
    const plain = await fetched(path, { 'accept-encoding': 'identity' });
    const zipped = await fetched(path, { 'accept-encoding': 'br, gzip, deflate' });
    expect(plain.headers).not.toHaveProperty('content-encoding');
    expect(zipped.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' });
    expect(gunzipSync(zipped.bytes).equals(plain.bytes)).toBe(true);
    expect(zipped.headers['etag']).not.toBe(plain.headers['etag']);
  });

  it.each(assets)('%s is not sent again to a browser that has it', async (path) => {
    const headers = { 'accept-encoding': 'gzip' };
    const { headers: first } = await fetched(path, headers);
    expect(first).toMatchObject({ 'cache-control': 'no-cache' });
    const again = await fetched(path, { ...headers, 'if-none-match': `"other", W/${first['etag']}` });
    expect([again.status, again.bytes.length]).toEqual([304, 0]);
    const changed = await fetched(path, { ...headers, 'if-none-match': '"other"' });
    expect([changed.status, changed.headers['etag']]).toEqual([200, first['etag']]);
  });

  it('in the built package are the ones of the checkout', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'holdpoint-console-files-'));
    try {
      await writeConsole(directory);
      expect(readdirSync(directory).sort()).toEqual(['console.css', 'console.js', 'index.html']);
      for (const path of assets) {
        const { bytes } = await fetched(path, { 'accept-encoding': 'identity' });
        expect(readFileSync(join(directory, path.replace('/console/', ''))).equals(bytes)).toBe(true);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
