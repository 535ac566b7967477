import { describe, expect, it } from 'vitest';
import { ageText, clockSkewMs, exactText, leftText, urgencyOf } from '../../../../src/console/words/time.ts';

describe('spans', () => {
  it.each([
    [0, 'now'],
    [40_000, '40s'],
    [125_000, '2m'],
    [3 * 3_600_000, '3h'],
    [5 * 86_400_000, '5d'],
  ])('%d ms ago is %s', (ms, text) => expect(ageText(ms)).toBe(text));

  it.each([
    [-1, '0:00'],
    [1, '0:01'],
    [761_000, '12:41'],
    [11_100_000, '3:05:00'],
    [187_200_000, '2d 4h'],
  ])('%d ms left is %s', (ms, text) => expect(leftText(ms)).toBe(text));

  it('becomes urgent in the last fifth and the last minute', () => {
    expect(urgencyOf(600_000, 900_000)).toBe('calm');
    expect(urgencyOf(170_000, 900_000)).toBe('soon');
    expect(urgencyOf(60_000, 900_000)).toBe('now');
    expect(urgencyOf(0, 900_000)).toBe('over');
  });

  it('writes an instant in UTC', () => {
    expect(exactText(Date.UTC(2026, 10, 22, 13, 5, 9))).toBe('2026-11-22 13:05:09 UTC');
  });
});

describe("the sidecar's clock", () => {
  const sent = Date.UTC(2026, 10, 22, 13, 0, 0);
  const header = (ms: number): string => new Date(ms).toUTCString();

  it('is followed when this machine is off', () => {
    expect(clockSkewMs(header(sent + 60_000), sent, sent + 20)).toBeCloseTo(60_490);
  });

  it('is taken for the same when the difference is what a header in seconds costs', () => {
    expect(clockSkewMs(header(sent - 1000), sent, sent + 20)).toBe(0);
    expect(clockSkewMs(null, sent, sent)).toBe(0);
    expect(clockSkewMs('nonsense', sent, sent)).toBe(0);
  });
});
