/**
 * Servers written in Go take a member's name in any case, and with letters that fold to ASCII ones: for them
 * `Messages` is `messages`, and the later of the two counts. Everybody else sees two members, so an object
 * that uses such a spelling means two things. Pure.
 */
import { isRecord } from './json.ts';
import { note } from './reading.ts';

const shownCharsMax = 80;

/** Upper case first: U+017F and U+212A become S and K that way, as they do in Go's encoding/json. */
function folded(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/**
 * Notes every member of an object that such a server would take for one of `names`, though spelled otherwise.
 * Not to be asked of objects whose members are somebody else's, such as arguments.
 */
export function noteRespelled(value: unknown, names: ReadonlySet<string>, defects: string[]): void {
  if (!isRecord(value)) return;
  for (const name of Object.keys(value)) {
    if (names.has(name) || !names.has(folded(name))) continue;
    note(
      defects,
      `the member ${JSON.stringify(name.slice(0, shownCharsMax))} may be read as \`${folded(name)}\``,
    );
  }
}
