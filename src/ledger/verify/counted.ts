/** A count and what is counted, as people say it: `1 hold was`, `2 holds were`. Pure. */
export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
