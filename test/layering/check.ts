/**
 * `npm run lint:deps`: the direction of imports, and proof that the checker sees. A checker that looked at
 * nothing, or that lets the planted violation pass, fails.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const canary = fileURLToPath(new URL('./canary/', import.meta.url));
/** Fewer than the house has by far; zero or a handful means that files were not read. */
const modulesMin = 100;

interface Cruise {
  readonly violations: readonly string[];
  readonly modules: number;
}

function cruise(cwd: string): Cruise {
  const config = `${root}.dependency-cruiser.mjs`;
  const tool = `${root}node_modules/.bin/depcruise`;
  const run = spawnSync(
    tool,
    ['--config', config, '--output-type', 'json', '--ts-config', `${root}tsconfig.json`, 'src'],
    {
      cwd,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  const result: unknown = JSON.parse(run.stdout);
  return readCruise(result);
}

function readCruise(result: unknown): Cruise {
  const summary = fieldOf(result, 'summary');
  const violations = fieldOf(summary, 'violations');
  const modules = fieldOf(summary, 'totalCruised');
  if (!Array.isArray(violations) || typeof modules !== 'number')
    throw new Error('dependency-cruiser answered in another form');
  return {
    modules,
    violations: violations.map((violation: unknown) => {
      const rule = fieldOf(fieldOf(violation, 'rule'), 'name');
      return `${String(rule)}: ${String(fieldOf(violation, 'from'))} -> ${String(fieldOf(violation, 'to'))}`;
    }),
  };
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value ? Reflect.get(value, name) : undefined;
}

const house = cruise(root);
const planted = cruise(canary);
const problems = [
  ...house.violations,
  ...(house.modules < modulesMin
    ? [`only ${house.modules} modules were looked at; expected at least ${modulesMin}`]
    : []),
  ...(planted.violations.some((violation) => violation.startsWith('core-imports-nothing:'))
    ? []
    : ['the planted violation in test/layering/canary was not found']),
];
for (const problem of problems) process.stderr.write(`layering: ${problem}\n`);
if (problems.length === 0)
  process.stdout.write(`layering: ${house.modules} modules, no violation; the planted one was found\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
