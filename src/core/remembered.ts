/** What a pure function made of the texts that it was given last. */

const textsMax = 256;
/** Longer ones are seldom given twice. */
const charactersMax = 256;

/**
 * `make`, which must be pure, asked once for each text that comes again and again, such as the paths of an API. Holds at
 * most 256 texts of 256 characters, and what was made of them.
 */
export function remembered<Made>(make: (text: string) => Made): (text: string) => Made {
  const known = new Map<string, { readonly made: Made }>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before.made;
    const made = make(text);
    if (text.length > charactersMax) return made;
    // All at once: which of them comes again nobody knows, and counting would cost each call.
    if (known.size >= textsMax) known.clear();
    // A copy: a piece of a text keeps all of it in memory, as a path does its query and the key in that.
    known.set(` ${text}`.slice(1), { made });
    return made;
  };
}
