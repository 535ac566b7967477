/** How people give orders to a sidecar that may be killed at any moment: over the control port, and by command. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { House } from '../crash/sidecar-process.ts';
import type { Morning } from './morning.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** What fails because the sidecar was killed under it is nobody's fault; everything else is. */
export async function unlessKilled(day: Morning, task: () => Promise<void>): Promise<void> {
  const before = day.starts();
  try {
    await task();
  } catch (error) {
    if (day.starts() === before) throw error;
  }
}

/** What the control port answers; null for the one refusal that is expected. */
export async function order(
  day: Morning,
  as: keyof Morning['tokens'],
  path: string,
  json?: unknown,
  expectedRefusal?: number,
): Promise<unknown> {
  const { controlUrl } = await day.sidecar();
  const response = await fetch(`${controlUrl}${path}`, {
    headers: { authorization: `Bearer ${day.tokens[as]}`, 'content-type': 'application/json' },
    ...(json === undefined ? {} : { method: 'POST', body: JSON.stringify(json) }),
  });
  const text = await response.text();
  if (response.status === expectedRefusal) return null;
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : text;
}

/** The command in a process of its own; what it printed. Throws when it does not end with 0. */
export function holdpoint(...args: readonly string[]): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const env = { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] };
  execFile(
    process.execPath,
    [main, ...args],
    { env, maxBuffer: 64 * 1024 * 1024 },
    (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`holdpoint ${args.join(' ')}: ${error.code ?? ''} ${stdout}${stderr}`));
    },
  );
  return promise;
}

/** The verifier keys of the ledger, the first one first. */
export async function keysOf({ configFile }: House): Promise<readonly string[]> {
  const shown = JSON.parse(await holdpoint('keys', 'show', '--json', '--config', configFile));
  return z
    .object({ keys: z.array(z.object({ key: z.string() })) })
    .parse(shown)
    .keys.map(({ key }) => key);
}
