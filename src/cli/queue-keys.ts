/** Keys as a terminal in raw mode sends them, one chunk at a time. Pure. */

export type Key =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'up' | 'down' | 'page_up' | 'page_down' | 'enter' | 'escape' | 'backspace' | 'interrupt';
    };

const sequences: readonly (readonly [string, Exclude<Key['kind'], 'text'>])[] = [
  ['\u001b[A', 'up'],
  ['\u001bOA', 'up'],
  ['\u001b[B', 'down'],
  ['\u001bOB', 'down'],
  ['\u001b[5~', 'page_up'],
  ['\u001b[6~', 'page_down'],
  ['\r', 'enter'],
  ['\n', 'enter'],
  ['\u007f', 'backspace'],
  ['\b', 'backspace'],
  ['\u0003', 'interrupt'],
  ['\u0004', 'interrupt'],
];

/** The keys of a chunk, in order; sequences that mean nothing here are left out whole. */
export function keysOf(chunk: string): Key[] {
  const keys: Key[] = [];
  let rest = chunk;
  while (rest !== '') {
    const known = sequences.find(([bytes]) => rest.startsWith(bytes));
    // ECMA-48: a control sequence, a single shift, or the key itself.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: keys are control characters.
    const other = known?.[0] ?? /^\u001b(?:\[[0-?]*[ -/]*[@-~]|O.)?/.exec(rest)?.[0];
    if (known !== undefined) keys.push({ kind: known[1] });
    else if (other === '\u001b') keys.push({ kind: 'escape' });
    else if (other === undefined) {
      const [character = ''] = rest;
      if (!/\p{C}/u.test(character)) keys.push({ kind: 'text', text: character });
      rest = rest.slice(character.length);
      continue;
    }
    rest = rest.slice(other?.length ?? 1);
  }
  return keys;
}
