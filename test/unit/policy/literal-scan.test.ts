import { describe, expect, it, vi } from 'vitest';
import { createLiteralScan } from '../../../src/policy/literal-scan.ts';

/** With as many literals more as it takes to look for all of them at once. */
function scanFor(...literals: readonly string[]) {
  const scan = createLiteralScan();
  const others = Array.from({ length: 8 }, (_, at) => `other literal ${at}`);
  for (const literal of [...literals, ...others]) scan.add(literal);
  return scan;
}

describe('a scan finds a literal', () => {
  it.each([
    ['that stands alone', 'the key sk-1', ['sk-']],
    ['that begins as another does', 'sk-ant-1', ['sk-ant-']],
    ['that begins as a longer one does', 'sk-ant-1', ['sk-']],
    ['that begins within another', 'xaiai-1', ['ai-']],
    ['that overlaps itself before another', 'aaab', ['aab']],
    ['with characters that mean something in patterns', 'a \\^$.*+?()[]{}|/- b', ['\\^$.*+?()[]{}|/-']],
    ['behind letters beyond Latin', `${'日本 '.repeat(99)}sk-`, ['sk-']],
    ['that was not made known', 'some other', ['other']],
  ])('%s', (_, text, asked) => {
    const scan = scanFor('sk-', 'sk-ant-', 'xai', 'ai-', 'aa', 'aab', '\\^$.*+?()[]{}|/-');
    expect(scan.containsOneOf(text, asked)).toBe(true);
    expect(scan.containsOneOf(text, ['zz', ...asked])).toBe(true);
    expect(scan.containsOneOf('nothing of it', asked)).toBe(false);
  });

  it('behind more places of another than it looks at', () => {
    const scan = scanFor('://', 'ghp_');
    const text = 'https://a.example '.repeat(1_000);
    expect(scan.containsOneOf(`${text}ghp_`, ['ghp_'])).toBe(true);
    expect(scan.containsOneOf(text, ['ghp_'])).toBe(false);
  });

  it('beyond the number that it looks for in one pass', () => {
    const literals = Array.from({ length: 200 }, (_, i) => `key${i}_`);
    const scan = scanFor(...literals);
    expect(literals.filter((literal) => !scan.containsOneOf(`a ${literal}`, [literal]))).toEqual([]);
    expect(literals.filter((literal) => scan.containsOneOf('key_', [literal]))).toEqual([]);
  });

  it('that was made known after the text was looked at', () => {
    const scan = scanFor('one');
    expect(scan.containsOneOf('two', ['one'])).toBe(false);
    scan.add('two');
    expect(scan.containsOneOf('two', ['two'])).toBe(true);
  });
});

it('few literals are found as well as many', () => {
  const scan = createLiteralScan();
  scan.add('one');
  const asked = ['one', 'two'].map((text) => scan.containsOneOf(text, ['one']));
  expect(asked).toEqual([true, false]);
});

it('each text is looked at anew', () => {
  const scan = scanFor('one', 'two');
  const asked = ['one', 'two one', 'one', 'two'].map((text) => scan.containsOneOf(text, ['one']));
  expect(asked).toEqual([true, true, true, false]);
});

it('a text is looked at once while the caller runs, and is not kept beyond', async () => {
  const scan = scanFor('one', 'two');
  scan.containsOneOf('another text', ['one']);
  const looks = vi.spyOn(RegExp.prototype, 'exec');
  const ask = (): number => {
    const before = looks.mock.calls.length;
    scan.containsOneOf('nothing of it', ['one', 'two']);
    return looks.mock.calls.length - before;
  };
  const asked = [ask(), ask()];
  await Promise.resolve();
  asked.push(ask());
  looks.mockRestore();
  expect(asked).toEqual([1, 0, 1]);
});
