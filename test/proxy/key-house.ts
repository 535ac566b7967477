/** What the tests of changing keys share: a place, the calls and orders they make in it, and the chain of keys. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { z } from 'zod';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import {
  makePlace,
  type Place,
  type Settings,
  type SidecarProcess,
  spawnSidecar,
} from '../support/sidecar.ts';
import { chatRequest, chatText } from './answers.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const keysSchema = z.object({ key: z.string(), kek: z.string(), retiredKeks: z.array(z.string()) });
const chainSchema = z.object({ keys: z.array(z.object({ key: z.string(), from: z.number() })) });

export interface KeyHouse {
  readonly place: Place;
  readonly spawn: () => Promise<SidecarProcess>;
  /** What the command printed; it must have ended with 0. */
  readonly holdpoint: (...args: readonly string[]) => string;
  readonly chainOf: () => z.output<typeof chainSchema>['keys'];
  /** Orders a change of keys over the control port. */
  readonly change: (sidecar: SidecarProcess, action: string) => Promise<z.output<typeof keysSchema>>;
  /** The ledger verifies under each of these keys, with them as its chain and every body opened. */
  readonly expectTrusted: (keys: readonly string[]) => Promise<void>;
}

/** A place for one sidecar, beside an upstream that answers each call. Ended by `endAll`. */
export async function openKeyHouse(): Promise<KeyHouse> {
  const upstream = await startRawUpstream((_request, answer) =>
    answer.send(wholeAnswer('200 OK', ['content-type: application/json'], chatText('Hello.'))),
  );
  const settings: Settings = { upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } } };
  const place = makePlace(settings);
  const holdpoint = (...args: readonly string[]): string => {
    const { status, stderr, stdout } = runHoldpoint(args);
    expect([status, stderr]).toEqual([0, '']);
    return stdout;
  };
  return {
    place,
    spawn: () => spawnSidecar(settings, place),
    holdpoint,
    chainOf: () =>
      chainSchema.parse(JSON.parse(holdpoint('keys', 'show', '--json', '--config', place.configFile))).keys,
    change: async ({ controlUrl }, action) => {
      const response = await fetch(`${controlUrl}/api/v1/keys`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${place.tokenOf('olga', 'admin')}`,
        },
        body: JSON.stringify({ action, reason: 'yearly' }),
      });
      expect(response.status).toBe(200);
      return keysSchema.parse(await response.json());
    },
    expectTrusted: async (keys) => {
      for (const trust of keys) {
        const verdict = await verifyDirectory(place.dataDir, { trust });
        expect(verdict.findings).toEqual([]);
        expect(verdict).toMatchObject({ trusted: [trust], keys: keys.map((key) => ({ key })) });
        expect(verdict.bodies.opened).toBe(verdict.bodies.stored);
      }
    },
  };
}

/** The command in a process of its own, to its end. */
export function runHoldpoint(args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] },
  });
}

/** The status of one call through the sidecar. */
export async function chat({ proxyUrl }: SidecarProcess): Promise<number> {
  const response = await fetch(`${proxyUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-1' },
    body: chatRequest(),
  });
  await response.arrayBuffer();
  return response.status;
}
