/** What made a rule hold, as the control port answers it: the parts of it that were true, and of what. Pure. */
import { listIn, type Shape, shapeOf, textIn } from './shape.ts';

export interface TruePart {
  readonly expression: string;
  /** `path` is a JSON Pointer (RFC 6901) into the exchange; '' where it is no one place of it. */
  readonly values: readonly { readonly path: string; readonly value: string }[];
}

/** None where the sidecar does not tell. */
export function readBecause(rule: Shape): readonly TruePart[] {
  if (rule['because'] === undefined) return [];
  return listIn(rule, 'because', (item) => {
    const part = shapeOf(item, 'because');
    return {
      expression: textIn(part, 'expression'),
      values: listIn(part, 'values', (given) => {
        const value = shapeOf(given, 'value');
        return { path: textIn(value, 'path'), value: textIn(value, 'value') };
      }),
    };
  });
}

/** The places in the exchange that the rules were true of. */
export function matchedPlaces(
  rules: readonly { readonly because: readonly TruePart[] }[],
): ReadonlySet<string> {
  const paths = rules.flatMap(({ because }) =>
    because.flatMap(({ values }) => values.map(({ path }) => path)),
  );
  return new Set(paths.filter((path) => path !== ''));
}

/** The same places, with what stands below any of `from` as if it stood below `to`, where all of them are shown. */
export function shownAt(
  matched: ReadonlySet<string>,
  from: readonly string[],
  to: string,
): ReadonlySet<string> {
  const moved = [...matched].flatMap((path) =>
    from
      .filter((place) => path === place || path.startsWith(`${place}/`))
      .map((place) => `${to}${path.slice(place.length)}`),
  );
  return new Set([...matched, ...moved]);
}

/** The place of a member, as RFC 6901 section 3 writes it. */
export function placeBelow(path: string, name: string): string {
  return `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
