/**
 * Slips of indentation and punctuation that are YAML all the same, and mean something else than was meant: told from what
 * a schema refused and what it accepts. Pure.
 */
import type { z } from 'zod';
import { isObject, knownKeys, type YamlPath } from './accepted-keys.ts';

interface Unindented {
  /** Of the empty key. */
  readonly path: YamlPath;
  readonly text: string;
  /** The map that has both the empty key and what should be below it. */
  readonly parent: YamlPath;
  readonly keys: readonly string[];
}

/** A key with nothing below it, and after it in the same map keys that belong there. */
export function unindentedBelow(
  issue: z.core.$ZodIssue,
  accepted: unknown,
  value: unknown,
): Unindented | undefined {
  const isEmptyMap = issue.code === 'invalid_type' && issue.input === null && isMap(issue.expected);
  const name = issue.path.at(-1);
  if (!isEmptyMap || typeof name !== 'string') return undefined;
  const parent = issue.path.slice(0, -1);
  const beside = knownKeys(accepted, parent, value);
  const inside = knownKeys(accepted, issue.path, value);
  const present = Object.keys(valueAt(value, parent));
  const after = present.slice(present.indexOf(name) + 1);
  const end = after.findIndex((key) => beside.includes(key) || !inside.includes(key));
  const keys = end === -1 ? after : after.slice(0, end);
  const verb = keys.length === 1 ? 'is' : 'are';
  const text = `has nothing below it; expected ${keys.join(', ')} there, which ${verb} not indented deeper than it`;
  return keys.length === 0 ? undefined : { path: issue.path, text, parent, keys };
}

/** A policy that was given for a configuration, or the other way round: no key of it is one. */
export function fileOfAnotherKind(
  issues: readonly z.core.$ZodIssue[],
  accepted: unknown,
  value: unknown,
): { readonly path: YamlPath; readonly text: string } | undefined {
  const present = Object.keys(valueAt(value, []));
  const isUnknown = issues.some(
    (issue) =>
      issue.code === 'unrecognized_keys' && issue.path.length === 0 && issue.keys.length === present.length,
  );
  // One wrong key is a slip, and told as one.
  if (!isUnknown || present.length < 2) return undefined;
  const known = knownKeys(accepted, [], value).join(', ');
  return {
    path: [],
    text: `has no key that a file of this kind has, which are ${known}; is it another file?`,
  };
}

/** A key of a map further out, which was indented too deep. */
export function keyOfAnother(
  key: string,
  path: YamlPath,
  accepted: unknown,
  value: unknown,
): string | undefined {
  for (let length = path.length - 1; length >= 0; length -= 1) {
    const outer = path.slice(0, length);
    if (!knownKeys(accepted, outer, value).includes(key)) continue;
    const where = length === 0 ? 'at the top level' : `of ${String(outer.at(-1))}`;
    return `is not a key here, but ${where}; expected it less indented`;
  }
  return undefined;
}

/** A map was expected, and this is none: mostly a colon is missing, or what comes after it. */
export function noMap(issue: z.core.$ZodIssueInvalidType, known: readonly string[]): string | undefined {
  const { input } = issue;
  const keys = known.length === 0 ? '' : ` with ${known.join(', ')}`;
  if (input === null && issue.path.length === 0) return `has nothing in it; it must be a map${keys}`;
  if (input === null) return 'has nothing below it; it must be a map (or remove the key)';
  // Not shown: where a map says where a secret is, somebody may have put the secret itself.
  if (typeof input !== 'string') return undefined;
  const [, word = '', colon] = /^([\w.-]+)(:?)/.exec(input) ?? [];
  if (known.includes(word))
    return `has ${word} with no ${colon === '' ? 'colon' : 'space after its colon'}; expected "${word}: value"`;
  return `is a text; it must be a map${keys}`;
}

/** Where a list was expected, `-item` is a text and `-item:` a key of a map. */
export function unspacedItem({ expected, input }: z.core.$ZodIssueInvalidType): string | undefined {
  const begin = typeof input === 'string' ? input : Object.keys(isObject(input) ? input : {})[0];
  if (expected !== 'array' || !begin?.startsWith('-')) return undefined;
  return 'has no space after the - of an item; expected "- " before each item of the list';
}

export function isMap(expected: string): boolean {
  return expected === 'object' || expected === 'record';
}

function valueAt(value: unknown, path: YamlPath): object {
  let found = value;
  for (const step of path) found = isObject(found) ? Reflect.get(found, step) : undefined;
  return isObject(found) ? found : {};
}
