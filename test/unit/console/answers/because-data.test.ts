import { describe, expect, it } from 'vitest';
import {
  matchedPlaces,
  placeBelow,
  readBecause,
  shownAt,
} from '../../../../src/console/answers/because-data.ts';
import { ShapeError } from '../../../../src/console/answers/shape.ts';

const part = {
  expression: 'num(c.arguments.amount) > 1.0',
  values: [{ path: '/response/text', value: '2' }],
};

describe('what made a rule hold', () => {
  it('is read as the sidecar tells it', () => {
    expect(readBecause({ because: [part] })).toEqual([part]);
  });

  it('is nothing where the sidecar does not tell', () => {
    expect(readBecause({})).toEqual([]);
  });

  it('is refused in another form', () => {
    expect(() => readBecause({ because: [{ ...part, values: [{ path: 1, value: '2' }] }] })).toThrow(
      ShapeError,
    );
  });

  it('is marked where it is shown, and not where another text begins with the same', () => {
    const matched = new Set(['/c/alsoAs/1/arguments/a', '/c/alsoAs/1', '/c/alsoAs/10/arguments/b']);
    const moved = shownAt(matched, ['/c/alsoAs/1'], '/c');
    expect([...moved].filter((path) => !matched.has(path))).toEqual(['/c/arguments/a', '/c']);
  });

  it('has its places marked, and what has none is not', () => {
    const unplaced = { expression: 'true', values: [{ path: '', value: 'x' }] };
    expect(matchedPlaces([{ because: [part] }, { because: [unplaced] }])).toEqual(
      new Set(['/response/text']),
    );
  });

  it('is found at names that need escaping', () => {
    expect(placeBelow('/response/toolCalls/0/arguments', 'a/b~c')).toBe(
      '/response/toolCalls/0/arguments/a~1b~0c',
    );
  });
});
