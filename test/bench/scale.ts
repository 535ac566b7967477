/**
 * What grows with the ledger, and what must not: `node test/bench/scale.ts [entries] [directory]`.
 * A start over a ledger of so many entries against one of a thousand; append, proof, search, time and erasure by rule
 * against one of a hundred thousand, in which what is sought lies as far apart. Fails where a start takes 250 ms more
 * on the clock, so run it alone, or anything else three times the CPU time and a millisecond. A directory is kept, and
 * used again where it holds a ledger that large.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { emptyProgress } from '../../src/erasure/progress.ts';
import { runErasure } from '../../src/erasure/run.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import type { SearchTerms } from '../../src/ledger/search.ts';
import { judge } from './judge.ts';
import { percentile } from './load.ts';
import {
  decide,
  fewModel,
  fewOutcome,
  fewRule,
  fewWorkload,
  fill,
  firstMs,
  openScaleLedger,
  type SettableClock,
  settableClock,
  subjectOf,
  yearMs,
} from './scale-ledger.ts';

const startEntries = 1_000;
const fewEntries = 100_000;
const startMoreMsMax = 250;
const growthMax = 3;
const growthMsMax = 1;
const opens = 3;
const rounds = 40;
const warmUpProofs = 200;
const proofs = 1_000;
const proofMsMax = 2;
const appendedDecisions = 8_000;
const erasedEntries = 400;

/** CPU time of the whole process, LevelDB's threads included, and time on the clock; milliseconds. */
interface Cost {
  readonly cpuMs: number;
  readonly ms: number;
}
type Costs = ReadonlyMap<string, Cost>;

async function costOf(times: number, work: (i: number) => Promise<unknown>): Promise<Cost> {
  const cpu = process.cpuUsage();
  const from = performance.now();
  for (let i = 0; i < times; i += 1) await work(i);
  const ms = performance.now() - from;
  const { user, system } = process.cpuUsage(cpu);
  return { cpuMs: (user + system) / 1000 / times, ms: ms / times };
}

const endClock = (): SettableClock => settableClock(firstMs + yearMs);

/** In a process of its own, as a start is: opens the ledger once and prints what that took. */
async function openOnce(dir: string): Promise<void> {
  let ledger: Ledger | null = null;
  const cost = await costOf(1, async () => {
    ledger = await openScaleLedger(dir, endClock());
  });
  process.stdout.write(JSON.stringify(cost));
  await (ledger as Ledger | null)?.close('bench');
}

/** The least of some starts: what else runs on the machine only ever adds. */
function costOfStart(dir: string): Cost {
  const costs = Array.from({ length: opens }, (): Cost => {
    const script = fileURLToPath(import.meta.url);
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, 'open', dir], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
    const cost: unknown = JSON.parse(stdout);
    if (!isCost(cost)) throw new Error(`a start printed ${stdout}`);
    return cost;
  });
  return {
    cpuMs: Math.min(...costs.map(({ cpuMs }) => cpuMs)),
    ms: Math.min(...costs.map(({ ms }) => ms)),
  };
}

function isCost(value: unknown): value is Cost {
  return (
    typeof value === 'object' &&
    value !== null &&
    'cpuMs' in value &&
    'ms' in value &&
    typeof value.cpuMs === 'number' &&
    typeof value.ms === 'number'
  );
}

/** Every decision that has the terms, as the decisions route reads them. */
async function search(ledger: Ledger, terms: SearchTerms): Promise<number> {
  let found = 0;
  for await (const seq of ledger.find(terms, ledger.durable().size)) {
    await ledger.decision(seq);
    found += 1;
  }
  return found;
}

async function costOfAppends(ledger: Ledger): Promise<Cost> {
  const some = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 1) {
      const durable = decide(ledger, i, false, 1);
      if (i % 512 === 511) await durable;
    }
  };
  await some(appendedDecisions / 4);
  const { cpuMs, ms } = await costOf(1, () => some(appendedDecisions));
  return { cpuMs: (1000 * cpuMs) / appendedDecisions, ms: (1000 * ms) / appendedDecisions };
}

/** Of some hundred entries anywhere, as a retention rule whose time has come for them. */
async function costOfRetention(ledger: Ledger, size: number, dryRun: boolean): Promise<Cost> {
  const fromSeq = Math.floor(size / 3);
  const { at } = await ledger.entry(fromSeq + erasedEntries);
  const progress = emptyProgress();
  const house = { ledger, terms: { rules: [], exemptions: [] }, clock: endClock(), isStopping: () => false };
  const cost = await costOf(1, () =>
    runErasure(
      house,
      'bench',
      {
        scope: { rule: 'bench', before: at },
        match: {},
        basis: 'retention',
        by: 'bench',
        role: 'retention',
        reason: '',
        dryRun,
        goOn: { upTo: fromSeq, again: [] },
      },
      progress,
      () => null,
    ),
  );
  if (!dryRun && progress.erased === 0) throw new Error('the retention rule erased nothing');
  return cost;
}

interface Measured {
  readonly size: number;
  readonly costs: Costs;
  readonly proofP50Ms: number;
}

async function measure(dir: string): Promise<Measured> {
  const costs = new Map<string, Cost>();
  const ledger = await openScaleLedger(dir, endClock());
  const { size } = ledger.durable();
  const anywhere = (i: number): number => Math.floor(((i * 0.618_034) % 1) * size);
  // The first ones are slow for what V8 compiles, once.
  for (let i = 0; i < warmUpProofs; i += 1) await ledger.tree.inclusion(anywhere(i), size);
  const proofMs: number[] = [];
  const prove = async (i: number): Promise<void> => {
    const from = performance.now();
    await ledger.tree.inclusion(anywhere(warmUpProofs + i), size);
    proofMs.push(performance.now() - from);
  };
  costs.set('inclusion proof', await costOf(proofs, prove));
  costs.set(
    'entries before a time',
    await costOf(rounds, (i) => ledger.countBefore(firstMs + ((i * 0.618_034) % 1) * yearMs, size)),
  );
  const sought: Readonly<Record<string, SearchTerms>> = {
    model: { model: fewModel },
    rule: { rule: fewRule },
    workload: { workload: fewWorkload },
    outcome: { outcome: fewOutcome },
    'rule and provider': { rule: fewRule, provider: 'openai' },
    subject: { subject: subjectOf(1) },
  };
  for (const [name, terms] of Object.entries(sought)) {
    if ((await search(ledger, terms)) === 0) throw new Error(`nothing was found by ${name}`);
    costs.set(`search by ${name}`, await costOf(rounds, () => search(ledger, terms)));
  }
  costs.set("a subject's decisions", await costOf(rounds, () => ledger.decisionsOf(subjectOf(1))));
  costs.set('retention, dry run', await costOfRetention(ledger, size, true));
  costs.set('retention', await costOfRetention(ledger, size, false));
  // Last: what it appends would have the few entries be many.
  costs.set('1000 decisions appended', await costOfAppends(ledger));
  await ledger.close('bench');
  const proofP50Ms = percentile(
    proofMs.sort((a, b) => a - b),
    0.5,
  );
  return { size, costs, proofP50Ms };
}

async function make(dir: string, entries: number): Promise<void> {
  const clock = settableClock(firstMs);
  const ledger = await openScaleLedger(dir, clock);
  await fill(ledger, clock, entries);
  await ledger.close('bench');
}

function say(name: string, before: Cost, after: Cost, flat: boolean): void {
  if (!flat) process.exitCode = 1;
  const figures = [before.cpuMs, before.ms, after.cpuMs, after.ms].map((ms) => ms.toFixed(2).padStart(9));
  console.log(`${flat ? 'flat ' : 'GROWS'} ${name.padEnd(26)} ${figures.join(' ')}`);
}

async function bench(entries: number, kept: string | undefined): Promise<void> {
  if (kept !== undefined) mkdirSync(kept, { recursive: true });
  const root = mkdtempSync(join(kept ?? tmpdir(), 'holdpoint-bench-'));
  try {
    const [least, small] = [join(root, 'least'), join(root, 'small')];
    const large = join(kept ?? root, 'large');
    await make(least, startEntries);
    await make(small, fewEntries);
    const made = await costOf(1, () => make(large, entries));
    console.log(`made in ${(made.ms / 1000).toFixed(0)} s, ${(made.cpuMs / 1000).toFixed(0)} s of CPU`);
    // The system is still writing gigabytes: a start beside that would tell of them.
    spawnSync('sync');
    console.log('ms of CPU and on the clock, in the small ledger, then in the large one');
    const [leastStart, largeStart] = [costOfStart(least), costOfStart(large)];
    say('start', leastStart, largeStart, largeStart.ms - leastStart.ms < startMoreMsMax);
    const moreMs = Math.round(largeStart.ms - leastStart.ms);
    judge(`start with ${entries} entries, more than with ${startEntries}`, moreMs, 'ms', {
      below: startMoreMsMax,
    });
    const few = await measure(small);
    const many = await measure(large);
    console.log(`${few.size} entries, then ${many.size}`);
    const proofMs = Math.round(many.proofP50Ms * 100) / 100;
    judge(`inclusion proof among ${many.size} entries, p50`, proofMs, 'ms', { below: proofMsMax });
    for (const [name, before] of few.costs) {
      const after = many.costs.get(name);
      if (after === undefined) throw new Error(`${name} was not measured`);
      say(name, before, after, after.cpuMs <= growthMax * before.cpuMs + growthMsMax);
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const [first, second] = process.argv.slice(2);
if (first === 'open' && second !== undefined) await openOnce(second);
else await bench(Number(first ?? 1_000_000), second);
