/**
 * How `data-1/` was made: three scripted lives over one directory, the last of them killed. Kept for the next
 * layout's fixture; `data-1/` itself is never made again: `node test/golden/ledger/make-data-1.ts DIR`.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { beginLife, runScript, startMs } from '../../fault/scripted-run.ts';

const [target = 'data'] = process.argv.slice(2);
const root = mkdtempSync(join(tmpdir(), 'holdpoint-golden-'));
const dataDir = join(root, 'data');
mkdirSync(dataDir);
const witness = { acknowledged: () => undefined, handedOver: () => undefined };
const neverRefused = () => Promise.reject(new Error('nothing fails here'));
for (const number of [0, 1, 2]) {
  const life = await beginLife(dataDir, 'strict', witness, startMs + number * 60_000);
  await runScript(life, witness, neverRefused);
  const isLast = number === 2;
  if (isLast) {
    // As a kill leaves it: nothing was closed.
    const isData = (file: string): boolean => !/^(LOG|LOG\.old|LOCK)$/.test(basename(file));
    cpSync(dataDir, target, { recursive: true, filter: isData });
  }
  await life.end();
}
rmSync(root, { recursive: true, force: true });
