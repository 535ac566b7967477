/** Changes to a JSON text as a tree, and to how it is written: keys twice, escapes, spaces, numbers. Pure. */
import type { Random } from './random.ts';

type Path = readonly (string | number)[];

const values: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  1.5,
  2 ** 53,
  '',
  '{}',
  '[]',
  '{',
  '"',
  [],
  {},
  [null],
  [[]],
  { '': '' },
  '\u0000',
  '\ud800',
  'null',
];

function pathsOf(value: unknown): readonly Path[] {
  const paths: Path[] = [];
  const walk = (at: unknown, path: Path): void => {
    paths.push(path);
    if (typeof at !== 'object' || at === null) return;
    const isList = Array.isArray(at);
    for (const [key, inner] of Object.entries(at)) walk(inner, [...path, isList ? Number(key) : key]);
  };
  walk(value, []);
  return paths;
}

function valueAt(root: unknown, path: Path): unknown {
  let at: unknown = root;
  for (const step of path)
    at = typeof at === 'object' && at !== null ? Reflect.get(at, String(step)) : undefined;
  return at;
}

/** The tree with another value at the path; `undefined` takes the member away. */
function withAt(root: unknown, path: Path, value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (Array.isArray(root)) {
    const next = withAt(root[Number(step)], rest, value);
    return root.flatMap((item, place) => (place !== step ? [item] : next === undefined ? [] : [next]));
  }
  const entries = Object.entries(typeof root === 'object' && root !== null ? root : {});
  const at = entries.findIndex(([key]) => key === step);
  const next = withAt(entries[at]?.[1], rest, value);
  return Object.fromEntries(
    next === undefined
      ? entries.filter(([key]) => key !== step)
      : at === -1
        ? [...entries, [step, next]]
        : entries.map(([key, inner]) => [key, key === step ? next : inner]),
  );
}

/** The tree with the member's name, or another one's, changed to a name from the dictionary. */
function renamed(root: unknown, path: Path, name: string): unknown {
  const parent = path.slice(0, -1);
  const object = valueAt(root, parent);
  if (path.length === 0 || typeof object !== 'object' || object === null || Array.isArray(object))
    return root;
  const entries = Object.entries(object).map(([key, value]) => [key === path.at(-1) ? name : key, value]);
  return withAt(root, parent, Object.fromEntries(entries));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Writes a key twice, an escape, a space, or a number another way: the same tree for some readers. */
function rewritten(text: string, random: Random, dictionary: readonly Buffer[]): string {
  const strings = [...text.matchAll(/"(?:[^"\\]|\\.)*"/g)];
  const one = random.pickFrom(strings);
  if (one === undefined) return text;
  const end = one.index + one[0].length;
  const before = text.slice(0, one.index);
  switch (random.below(4)) {
    case 0: {
      // Before a key: the same key with another value.
      if (text[end] !== ':') return text;
      const value = JSON.stringify(random.pickFrom(values) ?? random.pickFrom(dictionary)?.toString() ?? '');
      return `${before}${one[0]}:${value},${text.slice(one.index)}`;
    }
    case 1: {
      const at = 1 + random.below(one[0].length - 2);
      const char = one[0][at] ?? '';
      if (!/^[A-Za-z0-9_.-]$/.test(char) || one[0][at - 1] === '\\') return text;
      const escaped = `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
      return `${before}${one[0].slice(0, at)}${escaped}${one[0].slice(at + 1)}${text.slice(end)}`;
    }
    case 2:
      return `${before}${random.pick([' ', '\t', '\r', '\n'])}${text.slice(one.index)}`;
    default:
      return text.replace(/-?\d+/, random.pick(['1e2', '-0', '1.0', '12345678901234567890', '1E400']));
  }
}

const nestings = 140;

/** The text with one change; null where it is no JSON. `donor`: a text, parts of which may be put in. */
export function mutateJson(
  text: string,
  donor: string,
  random: Random,
  dictionary: readonly Buffer[],
): string | null {
  const tree = parsed(text);
  if (tree === undefined) return null;
  if (random.oneIn(5)) return rewritten(text, random, dictionary);
  const paths = pathsOf(tree);
  const path = random.pickFrom(paths) ?? [];
  const word = random.pickFrom(dictionary)?.toString() ?? '';
  const here = valueAt(tree, path);
  const changed = (): unknown => {
    switch (random.below(10)) {
      case 0:
        return withAt(tree, path, undefined);
      case 1:
        return withAt(tree, path, random.pickFrom(values));
      case 2:
        return withAt(tree, path, word);
      case 3:
        return renamed(tree, path, word);
      case 4:
        return withAt(tree, path, [here, here]);
      case 5:
        return withAt(tree, path, valueAt(tree, random.pickFrom(paths) ?? []));
      case 6:
        return withAt(tree, [...path, word], valueAt(tree, random.pickFrom(paths) ?? []));
      case 7: {
        const other = parsed(donor);
        return withAt(tree, path, valueAt(other, random.pickFrom(pathsOf(other)) ?? []));
      }
      case 8:
        return withAt(tree, path, random.oneIn(2) ? JSON.stringify(here) : { [word]: here });
      default:
        return random.oneIn(20) ? withAt(tree, path, nested(here)) : withAt(tree, path, [here]);
    }
  };
  return JSON.stringify(changed()) ?? 'null';
}

function nested(value: unknown): unknown {
  let at = value ?? null;
  for (let depth = 0; depth < nestings; depth += 1) at = [at];
  return at;
}
