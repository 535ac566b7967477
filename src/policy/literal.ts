/**
 * Finds texts of which every match of an RE2 pattern must contain one, so that a plain search can rule most
 * inputs out before the engine is asked. Errs to "none known". Pure.
 * Syntax: https://github.com/google/re2/wiki/Syntax
 */

/** A brace that opens no count is a plain character in RE2, and what follows it is pattern again. */
const quantifier = /[*+?]|\{\d+(?:,\d*)?\}/y;
const literalCharsMin = 2;
/** A group of plain alternatives: `(ghp_|gho_)`. */
const plainGroup = /^\((?:\?:)?([A-Za-z0-9_-]+(?:\|[A-Za-z0-9_-]+)*)\)$/;

/** Alternatives multiply where they stand in a row, and add up where the whole pattern is one or the other. */
const literalsMax = 32;
/** Flags of a whole pattern. */
const anyCaseFlag = '(?i)';

export interface Needed {
  /** Every match contains one of these; none where nothing is certain. */
  readonly literals: readonly string[];
  /** In any case, by Unicode's simple folding. */
  readonly anyCase: boolean;
}

/**
 * Of a pattern, or of each of its alternatives, the longest run of plain characters and groups of plain alternatives
 * (`(gh|gl)p_` is `ghp_` or `glp_`), outside other groups and classes, in each way that it can be written.
 */
export function neededLiterals(source: string): Needed {
  const anyCase = source.startsWith(anyCaseFlag);
  return { literals: literalsIn(anyCase ? source.slice(anyCaseFlag.length) : source), anyCase };
}

function literalsIn(source: string): readonly string[] {
  const found: string[] = [];
  let best: readonly string[] = [];
  let run: readonly string[] = [''];
  const endRun = (next: readonly string[]): void => {
    if (shortest(run) > shortest(best)) best = run;
    run = next;
  };
  /** False where the alternative needs nothing, so that the pattern does not either. */
  const endAlternative = (): boolean => {
    endRun(['']);
    const isKnown = shortest(best) >= literalCharsMin;
    found.push(...best);
    best = [];
    return isKnown && found.length <= literalsMax;
  };
  for (let at = 0; at < source.length; ) {
    if (source.charAt(at) === '|') {
      if (!endAlternative()) return [];
      at += 1;
      continue;
    }
    const piece = pieceAt(source, at);
    // A flag (it may ignore case) or syntax not read here: nothing is certain.
    if (piece === undefined) return [];
    const text = source.slice(at, at + piece.length);
    at += piece.length;
    const repeatLength = quantifierLength(source, at);
    at += repeatLength;
    const written = repeatLength > 0 ? [] : writingsOf(text, piece.char);
    if (written.length === 0) endRun(['']);
    else if (run.length * written.length > literalsMax) endRun(written.length > literalsMax ? [''] : written);
    else run = run.flatMap((before) => written.map((after) => before + after));
  }
  return endAlternative() ? found : [];
}

/** A JavaScript pattern, with any flags, that finds one of the literals. */
export function patternOfLiterals(literals: Iterable<string>): string {
  return [...literals].map((literal) => literal.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|');
}

/** What a piece matches, where that is a few texts: itself, or the members of a group of plain alternatives. */
function writingsOf(text: string, char: string): readonly string[] {
  return char === '' ? (plainGroup.exec(text)?.[1]?.split('|') ?? []) : [char];
}

function shortest(literals: readonly string[]): number {
  return literals.length === 0 ? 0 : Math.min(...literals.map((literal) => literal.length));
}

interface Piece {
  readonly length: number;
  /** The character it stands for; '' when it stands for more than one or for none. */
  readonly char: string;
}

function pieceAt(source: string, at: number): Piece | undefined {
  const char = source.charAt(at);
  if (char === ')' || char.charCodeAt(0) > 126) return undefined;
  if (char === '[') return skipped(classLength(source, at));
  if (char === '(') return skipped(groupLength(source, at));
  if (char === '\\') {
    const next = source.charAt(at + 1);
    if (/[bBdDsSwWAz]/.test(next)) return { length: 2, char: '' };
    return /[!-/:-@[-`{-~]/.test(next) ? { length: 2, char: next } : undefined;
  }
  return { length: 1, char: '.^$*+?{'.includes(char) ? '' : char };
}

function skipped(length: number | undefined): Piece | undefined {
  return length === undefined ? undefined : { length, char: '' };
}

function classLength(source: string, at: number): number | undefined {
  let end = at + 1;
  if (source.charAt(end) === '^') end += 1;
  if (source.charAt(end) === ']') end += 1;
  for (; end < source.length; end += 1) {
    if (source.startsWith('[:', end)) return undefined;
    if (source.charAt(end) === '\\') end += 1;
    else if (source.charAt(end) === ']') return end + 1 - at;
  }
  return undefined;
}

/** A whole group; undefined where it changes flags, which may reach beyond it. */
function groupLength(source: string, at: number): number | undefined {
  let depth = 0;
  for (let end = at; end < source.length; end += 1) {
    const char = source.charAt(end);
    if (char === '\\') {
      if (source.charAt(end + 1) === 'Q') return undefined;
      end += 1;
    } else if (char === '[') {
      const length = classLength(source, end);
      if (length === undefined) return undefined;
      end += length - 1;
    } else if (char === '(') {
      if (source.startsWith('(?', end) && !source.startsWith('(?:', end)) return undefined;
      depth += 1;
    } else if (char === ')') {
      depth -= 1;
      if (depth === 0) return end + 1 - at;
    }
  }
  return undefined;
}

function quantifierLength(source: string, at: number): number {
  quantifier.lastIndex = at;
  return quantifier.exec(source)?.[0].length ?? 0;
}
