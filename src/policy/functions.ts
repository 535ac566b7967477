/**
 * The functions rules have beyond CEL's own. Each takes what a provider or workload sent, so each is linear
 * in its input; what it cannot decide it throws, and a rule that throws holds. Pure.
 */
import { RE2JS } from 're2js';
import { remembered } from '../core/remembered.ts';
import { neededLiterals, patternOfLiterals } from './literal.ts';
import { createLiteralScan, type LiteralScan } from './literal-scan.ts';

export const patternCharsMax = 2048;
/** Instructions of a compiled pattern: `(x{1000}){1000}` is short to write and large to run. */
export const patternSizeMax = 20_000;
const textsCharsMax = 8_388_608;
/** Far longer than names of tools, models and arguments are. */
const wordsCharsMax = 4_096;

interface Pattern {
  readonly compiled: RE2JS;
  /** Every match contains one of these as it is; [] where nothing is certain, or the case does not matter. */
  readonly literals: readonly string[];
  /** Finds what every match contains in any case; null where nothing is certain, or the case matters. */
  readonly folded: RegExp | null;
  /** Whether it matches. What it said of names (of tools, models, keys) is remembered, which come again and again. */
  readonly matches: (text: string) => boolean;
  readonly isOfNames: boolean;
}

/** What a policy's rules ask `re2` for. Filled when it loads, never by traffic. */
export interface Patterns {
  readonly bySource: Map<string, Pattern>;
  /** Of the literals that its patterns need, but for those that are asked of names. */
  readonly scan: LiteralScan;
}

export function noPatterns(): Patterns {
  return { bySource: new Map(), scan: createLiteralScan() };
}

/**
 * Compiles a pattern once and keeps it.
 * @param ofNames whether it is only asked of names, whose answers are then remembered
 * @throws Error in words for the author of the rule
 */
export function addPattern(patterns: Patterns, source: string, ofNames: boolean): void {
  const known = patterns.bySource.get(source);
  if (known !== undefined) {
    if (known.isOfNames && !ofNames) put(patterns, source, patternOf(source, known.compiled, false));
    return;
  }
  if (source.length > patternCharsMax) {
    throw new Error(`the pattern is longer than ${patternCharsMax} characters`);
  }
  const compiled = RE2JS.compile(source);
  if (compiled.programSize() > patternSizeMax) {
    throw new Error(`the pattern grows to ${compiled.programSize()} steps; ${patternSizeMax} is the most`);
  }
  put(patterns, source, patternOf(source, compiled, ofNames));
}

function put({ bySource, scan }: Patterns, source: string, pattern: Pattern): void {
  bySource.set(source, pattern);
  if (!pattern.isOfNames) for (const literal of pattern.literals) scan.add(literal);
}

function patternOf(source: string, compiled: RE2JS, isOfNames: boolean): Pattern {
  const test = (text: string): boolean => compiled.test(text);
  const matches = isOfNames ? remembered(test) : test;
  const { literals, anyCase } = neededLiterals(source);
  return anyCase && literals.length > 0
    ? { compiled, literals: [], folded: new RegExp(patternOfLiterals(literals), 'iu'), matches, isOfNames }
    : { compiled, literals, folded: null, matches, isOfNames };
}

/** `re2(text, pattern)`: whether the pattern matches anywhere in the text. Time linear in the text. */
export function re2(patterns: Patterns, text: string, source: string): boolean {
  const pattern = patterns.bySource.get(source);
  if (pattern === undefined) throw new Error('re2() takes its pattern as a literal text');
  return mayMatch(pattern, text, patterns.scan) && pattern.matches(text);
}

/** False where the text lacks what every match contains: a search for that takes a tenth of the time or less. */
function mayMatch({ literals, folded, isOfNames }: Pattern, text: string, scan: LiteralScan): boolean {
  if (folded !== null) return folded.test(text);
  if (literals.length === 0) return true;
  if (isOfNames) return literals.some((literal) => text.includes(literal));
  return scan.containsOneOf(text, literals);
}

/** Where the pattern matches first, in UTF-16 units; null where it does not. */
export function placeOfRe2(patterns: Patterns, text: string, source: string): Place | null {
  const matcher = patterns.bySource.get(source)?.compiled.matcher(text);
  return matcher?.find() === true ? { start: matcher.start() } : null;
}

export interface Place {
  readonly start: number;
}

const plainDecimal = /^-?[0-9]{1,40}(?:\.[0-9]{1,40})?$/;

/**
 * `num(x)`: a number, or a text that is a plain decimal number, as a double. Everything else throws:
 * `"25,000"` read as NaN would be "not above the limit" and let a transfer through.
 */
export function num(value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'string' && plainDecimal.test(value)) return Number(value);
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : kindOf(value);
  throw new Error(`num() takes a number or a plain decimal text, not ${shown}`);
}

/** What a value is, in words for the author of a rule. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'number'
    ? String(value)
    : typeof value === 'object'
      ? 'a map'
      : `a ${typeof value}`;
}

/**
 * `words(name)`: a name in lower-case words, however it was spelt, with its namespaces set off by ` / `.
 * transferFunds, transfer_funds, transfer-funds: `transfer funds`. mcp__bank__transferFunds:
 * `mcp / bank / transfer funds`. stripe.create_transfer: `stripe / create transfer`.
 * Throws for what is longer than any name: patterns over it would take seconds, in which no other call moves, and a rule
 * that fails holds.
 */
export function words(name: string): string {
  if (name.length > wordsCharsMax) throw new RangeError(`words() takes at most ${wordsCharsMax} characters`);
  return wordsOf(name);
}

const wordsOf = remembered(split);

function split(name: string): string {
  return name
    .replace(/__+|[.:/\\]+/g, ' / ')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .replace(/[^\p{L}\p{N}/]+/gu, ' ')
    .trim()
    .toLowerCase();
}

/**
 * `texts(x)`: every text inside a value, at any depth, one a line. A pattern over this is not misled by how
 * the JSON around it was written (escapes, nesting). Keys are not included.
 */
export function texts(value: unknown): string {
  if (typeof value === 'string') return value;
  const found: string[] = [];
  const open: unknown[] = [value];
  let chars = 0;
  while (open.length > 0) {
    const item = open.pop();
    if (typeof item === 'string') {
      found.push(item);
      chars += item.length;
      if (chars > textsCharsMax) throw new RangeError(`texts() takes at most ${textsCharsMax} characters`);
    } else if (typeof item === 'object' && item !== null) {
      open.push(...(Array.isArray(item) ? item : Object.values(item)));
    }
  }
  return found.join('\n');
}
