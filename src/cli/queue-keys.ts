/** Keys as a terminal in raw mode sends them, one chunk at a time; what is pasted is text and no keys. */

export type Key =
  /** `paste` is one line, whatever was pasted. */
  | { readonly kind: 'text' | 'paste'; readonly text: string }
  | {
      readonly kind: 'up' | 'down' | 'page_up' | 'page_down' | 'enter' | 'escape' | 'backspace' | 'interrupt';
    };

const sequences: readonly (readonly [string, Exclude<Key['kind'], 'text' | 'paste'>])[] = [
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

/** Asks a terminal to say where something pasted begins and ends (xterm, bracketed paste mode), and not to any more. */
export const bracketPastes = '\u001b[?2004h';
export const leavePastes = '\u001b[?2004l';
const pasteBegins = '\u001b[200~';
const pasteEnds = '\u001b[201~';
/** Of what is pasted. */
const pasteCharsMax = 16_384;

/**
 * Reads chunk after chunk. Keeps the beginning of a sequence that a chunk breaks off, but for the escape key itself, and
 * what of a paste has come so far.
 */
export function createKeyReader(): (chunk: string) => Key[] {
  let kept = '';
  /** Null while nothing is being pasted. */
  let pasted: string | null = null;

  return (chunk) => {
    const keys: Key[] = [];
    let rest = kept + chunk;
    kept = '';
    while (rest !== '') {
      const marker: string = pasted === null ? pasteBegins : pasteEnds;
      const at = rest.indexOf(marker);
      if (at === -1) kept = pasted === null ? brokenSequence(rest) : brokenOff(rest, marker);
      const before = at === -1 ? rest.slice(0, rest.length - kept.length) : rest.slice(0, at);
      rest = at === -1 ? '' : rest.slice(at + marker.length);
      if (pasted === null) keys.push(...keysOf(before));
      else pasted = (pasted + before).slice(0, pasteCharsMax);
      if (at === -1) continue;
      if (pasted !== null) keys.push({ kind: 'paste', text: pasted.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ') });
      pasted = pasted === null ? '' : null;
    }
    return keys;
  };
}

/** The beginning of a sequence at the end of a text; '' for the escape key itself, and for what is none. */
function brokenSequence(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: keys are control characters.
  return /\u001b(?:\[[0-?]{0,32}[ -/]{0,4}|O)$/.exec(text)?.[0] ?? '';
}

/** The end of a text that may be the beginning of a marker. */
function brokenOff(text: string, marker: string): string {
  for (let length = Math.min(marker.length - 1, text.length); length > 0; length -= 1)
    if (text.endsWith(marker.slice(0, length))) return marker.slice(0, length);
  return '';
}

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
