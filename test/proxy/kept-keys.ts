/** What the tests of where keys are kept share: a sidecar run with these keys, calls made at once, and its chain of keys. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { z } from 'zod';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { makePlace, type Place, type Settings, spawnSidecar } from '../support/sidecar.ts';
import { chatRequest, chatText } from './answers.ts';

const programFile = fileURLToPath(new URL('../support/key-program.ts', import.meta.url));

/** A program that keeps the key made from `seed`. */
export const program = (seed: string) => ({
  command: [process.execPath, programFile, seed],
  timeoutMs: 20_000,
});

export interface KeptKeys {
  readonly place: Place;
  /** Starts a sidecar with these keys, makes calls at once, stops it, and gives the chain of keys. */
  readonly runWith: (keys: Readonly<Record<string, unknown>>) => Promise<readonly string[]>;
}

const calls = 12;

/** A place for one sidecar, beside an upstream that answers each call. Ended by `endAll`. */
export async function openKeptKeys(): Promise<KeptKeys> {
  const upstream = await startRawUpstream((_request, answer) =>
    answer.send(wholeAnswer('200 OK', ['content-type: application/json'], chatText('Hello.'))),
  );
  const settings: Settings = { upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } } };
  const place = makePlace(settings);
  return {
    place,
    runWith: async (keys) => {
      const config = z
        .record(z.string(), z.unknown())
        .parse(JSON.parse(readFileSync(place.configFile, 'utf8')));
      writeFileSync(place.configFile, JSON.stringify({ ...config, keys }));
      const sidecar = await spawnSidecar(settings, place);
      const statuses = await Promise.all(Array.from({ length: calls }, () => statusOfCall(sidecar.proxyUrl)));
      expect(new Set(statuses)).toEqual(new Set([200]));
      expect(await sidecar.kill('SIGTERM')).toBe(0);
      const verdict = await verifyDirectory(place.dataDir, { everySignature: true });
      expect(verdict.findings).toEqual([]);
      return verdict.keys.map(({ key }) => key);
    },
  };
}

async function statusOfCall(proxyUrl: string): Promise<number> {
  const response = await fetch(`${proxyUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: chatRequest(),
  });
  await response.arrayBuffer();
  return response.status;
}
