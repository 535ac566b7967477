/** How much of a list, a map or a value rules see: all of it, or a failure, because a rule that saw a part would decide wrongly. Pure. */

/** Items of any list or map a rule can walk; two nested walks are then at most a million steps. */
export const listItemsMax = 1024;
/** Nesting and number of values inside one tool call's arguments. */
export const argumentsDepthMax = 64;
export const argumentsValuesMax = 20_000;

/** The list itself; throws a RangeError where it is too long. */
export function bounded<T>(what: string, list: readonly T[]): readonly T[] {
  if (list.length <= listItemsMax) return list;
  throw new RangeError(`${what} has ${list.length} items; a rule sees at most ${listItemsMax}`);
}

/** The value itself when every bound holds inside it; iterative, because depth is the caller's choice. */
export function boundedJson(what: string, value: unknown): unknown {
  requireFinite(what, value);
  if (typeof value !== 'object' || value === null) return value;
  let level: unknown[] = [value];
  let values = 0;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > argumentsDepthMax) throw new RangeError(`${what} is nested deeper than ${argumentsDepthMax}`);
    const below: unknown[] = [];
    for (const container of level) {
      if (typeof container !== 'object' || container === null) continue;
      const items: readonly unknown[] = bounded(
        what,
        Array.isArray(container) ? container : Object.values(container),
      );
      values += items.length;
      if (values > argumentsValuesMax)
        throw new RangeError(`${what} has more than ${argumentsValuesMax} values`);
      for (const item of items) {
        requireFinite(what, item);
        if (typeof item === 'object' && item !== null) below.push(item);
      }
    }
    level = below;
  }
  return value;
}

/** JSON writes numbers that no double holds, such as 1e999; one less another is neither above a limit nor below it. */
function requireFinite(what: string, value: unknown): void {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new RangeError(`${what} has a number that is too large to compare`);
}
