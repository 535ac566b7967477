/** Kills the scripted life at one storage call of its own, and looks at what it leaves. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type Durability, entryTypes } from '../../src/ledger/entry.ts';
import { type Acknowledged, faultsAfterNextLife, faultsIn, startMs } from '../fault/scripted-run.ts';

const script = fileURLToPath(new URL('scripted-process.ts', import.meta.url));
const shared = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export interface KillReport {
  /** The call it died at, as `write ledger/journal-0000000001.hpj`; null when it came to its end. */
  readonly killed: string | null;
  readonly acknowledged: number;
  readonly faults: readonly string[];
}

const lineSchema = z.object({
  killed: z.string().optional(),
  acknowledged: z.object({ seq: z.number(), type: z.enum(entryTypes), decision: z.number() }).optional(),
  handedOver: z.tuple([z.number(), z.number()]).optional(),
});

/** Runs the process to the `at`th storage call, or the one named `<kind> <file>#<n>`, or to its end. */
export async function killAt(
  at: number | string,
  fate: 'before' | 'middle' | 'after',
  durability: Durability,
): Promise<KillReport> {
  const root = mkdtempSync(join(shared, 'holdpoint-kill-'));
  try {
    const dataDir = join(root, 'data');
    mkdirSync(dataDir);
    const toldFile = join(root, 'told');
    const signal = await run([script, dataDir, toldFile, String(at), fate, durability]);
    const lines = (existsSync(toldFile) ? readFileSync(toldFile, 'utf8').split('\n') : [])
      .filter((line) => line !== '')
      .map((line) => lineSchema.parse(JSON.parse(line)));
    const told = {
      acknowledged: lines.flatMap(({ acknowledged }): Acknowledged[] =>
        acknowledged === undefined ? [] : [acknowledged],
      ),
      handedOver: lines.flatMap(({ handedOver }) => (handedOver === undefined ? [] : [handedOver])),
    };
    const killed = lines.find((line) => line.killed !== undefined)?.killed ?? null;
    const faults = (await faultsIn(dataDir, told)).map((fault) => `dead: ${fault}`);
    if ((killed === null) !== (signal === null)) faults.push(`it died of ${signal}, at ${killed}`);
    const next = await faultsAfterNextLife(dataDir, told, startMs + 3_600_000);
    return {
      killed,
      acknowledged: told.acknowledged.length,
      faults: [...faults, ...next.map((fault) => `after death: ${fault}`)],
    };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Resolves with the signal that ended it; rejects when it failed by itself. */
function run(args: readonly string[]): Promise<NodeJS.Signals | null> {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] },
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4096);
  });
  const { promise, resolve, reject } = Promise.withResolvers<NodeJS.Signals | null>();
  child.once('error', reject);
  child.once('close', (code, signal) => {
    if (signal !== null || code === 0) resolve(signal);
    else reject(new Error(`it ended with ${code}: ${stderr}`));
  });
  return promise;
}
