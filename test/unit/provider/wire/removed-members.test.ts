/** Who sends a body must not decide how long the sidecar looks at it. */
import { expect, test } from 'vitest';
import { stepsOf, withoutMembers } from '../../../../src/provider/wire/removed-members.ts';

const steps = stepsOf(['headers']);

test.each(['\r', '\n', '\r\n', '\r ', 'data:\r', '\ndata: '])(
  'a body of nothing but %j is gone through in linear time',
  (piece) => {
    const text = `${piece.repeat(60_000)}x`;
    const started = performance.now();
    expect(withoutMembers(text, steps, '[removed]')).toEqual({ text, removed: 0 });
    expect(performance.now() - started).toBeLessThan(1_000);
  },
);

test.each(['', '\r', '\n\r \r\t', 'data:\r', 'x\rdata: \ufeff'])('a value is found behind %j', (before) => {
  const { text } = withoutMembers(`${before}{"headers":"k"}`, steps, '[removed]');
  expect(text).toBe(`${before}{"headers":"[removed]"}`);
});
