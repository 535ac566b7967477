/** Numbers of things as people read them, on a terminal as in the console: with their thousands set apart. */

const counting = new Intl.NumberFormat('en');

/** `12,345`. */
export function countText(count: number): string {
  return counting.format(count);
}

/** `1 entry`, `2 entries`. */
export function counted(count: number, one: string, many: string): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

/** By how much a text is longer than it may be; '' where it is not. */
export function excessIn(text: string, charactersMax: number): string {
  const over = text.length - charactersMax;
  return over > 0
    ? `${counted(over, 'character', 'characters')} too many: ${countText(charactersMax)} at most.`
    : '';
}
