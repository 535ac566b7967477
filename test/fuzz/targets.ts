/** Every target by name; the part before the first dash says which module has it. */
import type { Target } from './target.ts';

const modules: Readonly<Record<string, () => Promise<{ readonly targets: readonly Target[] }>>> = {
  answers: () => import('./targets/answers.ts'),
  requests: () => import('./targets/requests.ts'),
  realtime: () => import('./targets/realtime.ts'),
  splitters: () => import('./targets/splitters.ts'),
  json: () => import('./targets/json.ts'),
  ledger: () => import('./targets/ledger.ts'),
  wire: () => import('./targets/wire.ts'),
  policy: () => import('./targets/policy.ts'),
  toy: () => import('./targets/toy.ts'),
};

/** The names of all but the toy. */
export async function targetNames(): Promise<readonly string[]> {
  const loaded = await Promise.all(Object.values(modules).map((load) => load()));
  return loaded.flatMap(({ targets }) => targets.map(({ name }) => name)).filter((name) => name !== 'toy');
}

/** Loads one target, and of the sources only what it needs. Throws RangeError when there is none of that name. */
export async function targetNamed(name: string): Promise<Target> {
  const { targets } = (await modules[name.split('-', 1)[0] ?? '']?.()) ?? { targets: [] };
  const target = targets.find((candidate) => candidate.name === name);
  if (target === undefined) throw new RangeError(`There is no target ${name}.`);
  return target;
}
