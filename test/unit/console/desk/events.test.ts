import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backOffMs, createEventParser } from '../../../../src/console/desk/events.ts';

const stream =
  ': connected\n\nid: 1\nevent: hold.opened\ndata: {"a":1}\n\n: still here\n\r\ndata:two\r\ndata: lines\r\n\r\ndata: unfinished';

describe('server-sent events', () => {
  it('gives the data of whole events, split anywhere', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
        const parse = createEventParser();
        const ends = [...cuts.toSorted((a, b) => a - b), stream.length];
        const found = ends.flatMap((end, i) => parse(stream.slice(ends[i - 1] ?? 0, end)));
        expect(found).toEqual(['{"a":1}', 'two\nlines']);
      }),
    );
  });

  it('does not collect a line without end', () => {
    const parse = createEventParser();
    expect(() => {
      for (let i = 0; i < 20; i += 1) parse('x'.repeat(100_000));
    }).toThrow(RangeError);
  });

  it('comes back later each time, within bounds', () => {
    expect(backOffMs(0, 0)).toBe(250);
    expect(backOffMs(0, 1)).toBe(500);
    expect(backOffMs(3, 1)).toBe(4000);
    expect(backOffMs(1000, 1)).toBe(15_000);
  });
});
