/**
 * The scripted life as a process of its own, which ends itself with SIGKILL at one storage call:
 * `node scripted-process.ts DATA_DIR TOLD_FILE AT FATE DURABILITY`. AT counts all calls from 0, or is
 * `<kind> <file>#<n>`. What was told to the outside goes into the
 * told file, a line each, before anything depends on it.
 */
// First, so that the stores load with node:fs watched.
import '../fault/disk-calls.ts';
import { appendFileSync } from 'node:fs';
import { type Fate, watchDisk } from '../fault/disk-calls.ts';
import { beginLife, runScript, startMs, type Witness } from '../fault/scripted-run.ts';

const [dataDir = '', toldFile = '', at = '', fate = '', durability = ''] = process.argv.slice(2);
const fates: readonly Fate[] = ['before', 'middle', 'after'];
let calls = 0;
const counts = new Map<string, number>();
watchDisk({
  dir: dataDir,
  fateOf: ({ kind, file }) => {
    const point = `${kind} ${file}`;
    const nth = counts.get(point) ?? 0;
    counts.set(point, nth + 1);
    calls += 1;
    return at === String(calls - 1) || at === `${point}#${nth}`
      ? (fates.find((known) => known === fate) ?? 'before')
      : 'done';
  },
  failureOf: ({ kind, file }) => {
    appendFileSync(toldFile, `${JSON.stringify({ killed: `${kind} ${file}` })}\n`);
    process.kill(process.pid, 'SIGKILL');
    // The signal is on its way; nothing may happen any more.
    for (;;);
  },
});

const witness: Witness = {
  acknowledged: (entry) => appendFileSync(toldFile, `${JSON.stringify({ acknowledged: entry })}\n`),
  handedOver: (...pair) => appendFileSync(toldFile, `${JSON.stringify({ handedOver: pair })}\n`),
};
const life = await beginLife(dataDir, durability === 'relaxed' ? 'relaxed' : 'strict', witness, startMs);
await runScript(life, witness, () => Promise.reject(new Error('the disk does not fail here')));
await life.end();
