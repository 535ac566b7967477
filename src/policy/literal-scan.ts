/**
 * Looks for all the literals that a policy's patterns need in one pass over a text. Looked for one by one, each whose
 * first letter is frequent stops at every such letter: two dozen over a long prompt cost more than parsing it.
 */
import { patternOfLiterals } from './literal.ts';

export interface LiteralScan {
  /** Makes a literal known. */
  add(literal: string): void;
  /** Whether the text contains one of the literals. Remembers what it found in this text until it is given another. */
  containsOneOf(text: string, literals: readonly string[]): boolean;
  /** Lets go of the text that was given last. */
  forget(): void;
}

/** Looked for in one pass; beyond, one by one. The engine tries them in turn wherever a text is not ruled out at once. */
const literalsMax = 64;
/** Places looked at; where a text has more, what was not found among them is looked for by itself. */
const placesMax = 512;

/** Knows no literal yet. Must not be shared by what runs at the same time. */
export function createLiteralScan(): LiteralScan {
  const known = new Set<string>();
  let oneOfKnown: RegExp | null = null;
  let last: { readonly text: string; readonly found: Set<string>; readonly isWhole: boolean } | null = null;

  function scan(text: string): NonNullable<typeof last> {
    const found = new Set<string>();
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

  return {
    add: (literal) => {
      if (literal === '' || known.has(literal) || known.size >= literalsMax) return;
      known.add(literal);
      oneOfKnown = null;
      last = null;
    },
    containsOneOf: (text, literals) => {
      if (last === null || last.text !== text) last = scan(text);
      const { found, isWhole } = last;
      return literals.some(
        (literal) => found.has(literal) || (!(isWhole && known.has(literal)) && text.includes(literal)),
      );
    },
    forget: () => {
      last = null;
    },
  };
}
