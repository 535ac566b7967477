/**
 * Says in words what a schema refused and what it would accept: a zod issue and the JSON Schema of what is
 * accepted in, sentences out. Pure.
 */
import type { z } from 'zod';
import { isObject, knownKeys, type YamlPath } from './accepted-keys.ts';
import { fileOfAnotherKind, isMap, keyOfAnother, noMap, unindentedBelow, unspacedItem } from './slips.ts';

/** One mistake: where in the value it is and what would be right. */
export interface Problem {
  readonly path: YamlPath;
  readonly text: string;
  /** The key itself is the mistake, not its value. */
  readonly key?: boolean;
}

/** Names longer than this are never compared, so that a hostile key costs nothing. */
const comparedCharsMax = 64;
const shownCharsMax = 60;

/**
 * The problems that issues stand for: one for each unknown key, otherwise one for each; what follows from a slip of
 * indentation is left out.
 * @param value what was checked
 */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  accepted: unknown,
  value: unknown,
): Problem[] {
  const other = fileOfAnotherKind(issues, accepted, value);
  if (other !== undefined) return [other];
  const slips = issues.flatMap((issue) => unindentedBelow(issue, accepted, value) ?? []);
  const isTold = ({ path }: Problem): boolean =>
    slips.some(
      (slip) =>
        path === slip.path ||
        (isBelow(path, slip.parent) && slip.keys.includes(String(path[slip.parent.length]))),
    );
  const others = issues
    .flatMap((issue) => describeIssue(issue, accepted, value))
    .filter((one) => !isTold(one));
  return [...slips.map(({ path, text }) => ({ path, text, key: true })), ...others];
}

function isBelow(path: YamlPath, parent: YamlPath): boolean {
  return path.length > parent.length && parent.every((step, at) => path[at] === step);
}

function describeIssue(issue: z.core.$ZodIssue, accepted: unknown, value: unknown): Problem[] {
  const known = knownKeys(accepted, issue.path, value);
  if (issue.code !== 'unrecognized_keys')
    return [{ path: issue.path, text: wrong(issue, known), key: issue.code === 'invalid_key' }];
  // A brace too many makes a key of the secret itself.
  if (isSecretPlace(issue.path))
    return [
      { path: issue.path, text: `has a key that is none here; the keys are ${known.join(', ')}`, key: true },
    ];
  return issue.keys.map((key) => ({
    path: [...issue.path, key],
    text: keyOfAnother(key, issue.path, accepted, value) ?? unknownKey(key, known),
    key: true,
  }));
}

function wrong(issue: z.core.$ZodIssue, known: readonly string[]): string {
  switch (issue.code) {
    case 'invalid_type': {
      const other = isMap(issue.expected) ? noMap(issue, known) : unspacedItem(issue);
      if (other !== undefined) return other;
      const is = issue.input === undefined ? 'is missing' : `is ${shown(issue)}`;
      // What the schema says itself tells more than the type.
      const wanted = issue.message.startsWith('expected ')
        ? issue.message
        : `it must be ${article(issue.expected)}`;
      return `${is}; ${wanted}`;
    }
    case 'invalid_value':
      return noneOf(issue.values.map(String), issue.input, shown(issue));
    case 'invalid_union': {
      if (issue.inclusive === false || issue.options === undefined) return issue.message;
      // The whole map is the input; what says its kind is at the path.
      const input = isObject(issue.input) ? issue.input[String(issue.path.at(-1))] : undefined;
      return noneOf(issue.options.map(String), input, shown({ ...issue, input }));
    }
    case 'too_small':
      return `is too ${sizeWord(issue.origin, 'small', 'short')}; it must be ${issue.inclusive ? 'at least' : 'more than'} ${measure(issue.origin, issue.minimum)}`;
    case 'too_big':
      return `is too ${sizeWord(issue.origin, 'big', 'long')}; it must be ${issue.inclusive ? 'at most' : 'less than'} ${measure(issue.origin, issue.maximum)}`;
    case 'invalid_key':
      return `is no name here; ${issue.issues[0]?.message ?? 'expected another'}`;
    case 'invalid_format': {
      const right =
        issue.format === 'url' ? 'it must be a URL such as https://api.openai.com' : issue.message;
      return `is ${shown(issue)}; ${right}`;
    }
    default:
      return issue.message;
  }
}

/** What was found instead of one of `values`, and which of them was most likely meant. */
function noneOf(values: readonly string[], found: unknown, seen: string): string {
  const near = isObject(found) ? undefined : nearest(String(found), values);
  const hint = near === undefined ? '' : ` (did you mean ${near}?)`;
  const right = `it must be one of ${values.map((one) => one || '""').join(', ')}`;
  return found === undefined ? `is missing; ${right}` : `is ${seen}; ${right}${hint}`;
}

function sizeWord(origin: string, ofNumber: string, ofLength: string): string {
  return origin === 'number' || origin === 'int' ? ofNumber : ofLength;
}

function measure(origin: string, bound: number | bigint): string {
  const one = bound === 1 || bound === 1n;
  if (origin === 'string') return `${bound} character${one ? '' : 's'}`;
  if (origin === 'array') return `${bound} item${one ? '' : 's'}`;
  return String(bound);
}

const articles: Readonly<Record<string, string>> = {
  object: 'a map',
  record: 'a map',
  array: 'a list',
  int: 'a whole number',
  string: 'a text (put it in quotes if YAML reads it as something else)',
  boolean: 'true or false',
};

function article(type: string): string {
  return articles[type] ?? `a ${type}`;
}

/** Where the configuration says where a secret is, and somebody may have put the secret itself; addresses that are one. */
const secretPlace =
  /^(upstreams\.[^.]*\.key|egress\.authorization|keys\.(signing|nextSigning|kek|escrow)|control\.signIn\.oidc\.clientSecret|notify\.to\.[^.]*\.(secret|password|url))(\.|$)/;

function isSecretPlace(path: YamlPath): boolean {
  return secretPlace.test(path.map(String).join('.'));
}

/** What was found; nothing of it where it may be a secret. */
function shown({ input, path }: z.core.$ZodIssue): string {
  const isScalar = typeof input !== 'object' && input !== undefined;
  if (isScalar && isSecretPlace(path)) return 'something else, not shown here';
  if (typeof input === 'number') return String(input);
  const found = typeof input === 'object' && input !== null ? kindOf(input) : JSON.stringify(input);
  if (found === undefined) return typeof input;
  const text = withoutCredentials(found);
  return text.length > shownCharsMax ? `${text.slice(0, shownCharsMax)}…` : text;
}

/** Of a URL: who asks, and the query, in which keys stand. */
function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/?#]*@/, '//…@').replace(/(:\/\/[^?]*\?)[^"]+/, '$1…');
}

function kindOf(input: object): string {
  return Array.isArray(input) ? 'a list' : 'a map';
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  if (near !== undefined) return `is not a key here; did you mean ${near}?`;
  if (known.length === 0) return 'is not a key here';
  return `is not a key here; the keys are ${known.join(', ')}`;
}

/** The word of `words` that `word` most likely was, or undefined when none is close. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  if (word.length > comparedCharsMax) return undefined;
  let best: string | undefined;
  // Two slips (letters swapped are two), or one in three letters; more is another word.
  let bestDistance = Math.max(word.length > 3 ? 2 : 1, Math.floor(word.length / 3)) + 1;
  for (const candidate of words) {
    if (isOpposite(plain(word), plain(candidate))) continue;
    const distance = editDistance(plain(word), plain(candidate));
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Two letters apart, and the contrary: whoever takes the one for the other keeps what was to be erased. */
function isOpposite(word: string, other: string): boolean {
  return (/max/.test(word) && /min/.test(other)) || (/min/.test(word) && /max/.test(other));
}

/** `expires_in`, `expires-in` and `expiresIn` are the same slip. */
function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[_-]/g, '');
}

/** Levenshtein: how many letters to insert, drop or change. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(change, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
  }
  return row[b.length] ?? 0;
}
