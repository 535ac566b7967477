/**
 * Looks for all the literals that a policy's patterns need in one pass over a text. Looked for one by one, each whose
 * first letter is frequent stops at every such letter: two dozen over a long prompt cost more than parsing it.
 */
import { patternOfLiterals } from './literal.ts';

export interface LiteralScan {
  /** Makes a literal known. */
  add(literal: string): void;
  /**
   * Whether the text contains one of the literals. What it found is remembered while the caller runs, for other literals in
   * the same text; no text is kept beyond.
   */
  containsOneOf(text: string, literals: readonly string[]): boolean;
}

/** Fewer are looked for one by one. */
const literalsMin = 8;
/** Looked for in one pass; beyond, one by one. The engine tries them in turn wherever a text is not ruled out at once. */
const literalsMax = 64;
/** Places looked at; where a text has more, what was not found among them is looked for by itself. */
const placesMax = 512;

interface Seen {
  readonly text: string;
  readonly found: ReadonlySet<string>;
  /** Known literals that were not found are not there. */
  readonly isWhole: boolean;
}

/** Knows no literal yet. */
export function createLiteralScan(): LiteralScan {
  const known = new Set<string>();
  let oneOfKnown: RegExp | null = null;
  let last: Seen | null = null;

  function scan(text: string): Seen {
    const found = new Set<string>();
    if (known.size < literalsMin) return { text, found, isWhole: false };
    oneOfKnown ??= new RegExp(patternOfLiterals(known), 'g');
    oneOfKnown.lastIndex = 0;
    for (let places = 0; places < placesMax; places += 1) {
      const at = oneOfKnown.exec(text)?.index;
      if (at === undefined) return { text, found, isWhole: true };
      // One may begin as another does, or within it.
      for (const literal of known) if (text.startsWith(literal, at)) found.add(literal);
      oneOfKnown.lastIndex = at + 1;
    }
    return { text, found, isWhole: false };
  }

  function seenIn(text: string): Seen {
    if (last?.text === text) return last;
    if (last === null)
      queueMicrotask(() => {
        last = null;
      });
    last = scan(text);
    return last;
  }

  return {
    add: (literal) => {
      if (literal === '' || known.has(literal) || known.size >= literalsMax) return;
      known.add(literal);
      oneOfKnown = null;
      last = null;
    },
    containsOneOf: (text, literals) => {
      const { found, isWhole } = seenIn(text);
      return literals.some(
        (literal) => found.has(literal) || (!(isWhole && known.has(literal)) && text.includes(literal)),
      );
    },
  };
}
