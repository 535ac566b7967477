import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { nearest } from '../../../src/config/issues.ts';
import { readYaml, yamlBytesMax } from '../../../src/config/yaml.ts';
import { HoldpointError } from '../../../src/core/errors.ts';
import { thrown } from './support.ts';

const schema = z.strictObject({
  listen: z.string(),
  durability: z.enum(['strict', 'relaxed']),
  upstreams: z.record(z.string(), z.strictObject({ url: z.string(), timeoutMs: z.int().min(1).max(10) })),
});

const read = (text: string) => readYaml('holdpoint.yaml', text, schema, 'config_invalid');
const complaint = (text: string) => thrown(() => read(text)).message;

describe('readYaml', () => {
  it('gives the checked value', () => {
    const text = 'listen: a\ndurability: strict\nupstreams:\n  x: { url: u, timeoutMs: 5 }\n';
    expect(read(text)).toEqual({
      listen: 'a',
      durability: 'strict',
      upstreams: { x: { url: 'u', timeoutMs: 5 } },
    });
  });

  it('raises the code it was given and says what to do next', () => {
    const error = thrown(() => read('listen: 1'));
    expect(error).toBeInstanceOf(HoldpointError);
    expect(error).toMatchObject({ code: 'config_invalid', next: expect.stringContaining('holdpoint.yaml') });
  });

  it('names file, line, column, path, what is wrong and what would be right', () => {
    const text = 'listen: a\ndurability: strict\nupstreams:\n  x:\n    url: u\n    timeoutMs: 99\n';
    expect(complaint(text)).toBe(
      'holdpoint.yaml:6:16 upstreams.x.timeoutMs: is too big; it must be at most 10',
    );
  });

  it('names every problem, one a line', () => {
    const lines = complaint('listen: 5\ndurability: stict\nupstreams: {}\nextra: 1\n').split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toContain('holdpoint.yaml:1:9 listen: is 5; it must be a text');
    expect(lines[1]).toContain('it must be one of strict, relaxed (did you mean strict?)');
    expect(lines[2]).toContain('holdpoint.yaml:4:1 extra: is not a key here; the keys are listen');
  });

  it('suggests the nearest known key, also inside a map of any keys', () => {
    const text = 'listen: a\ndurability: strict\nupstreams: { x: { url: u, timeoutMs: 1, timeout_ms: 2 } }';
    expect(complaint(text)).toContain('upstreams.x.timeout_ms: is not a key here; did you mean timeoutMs?');
  });

  it('shows a missing key where its map begins', () => {
    expect(complaint('listen: a\ndurability: strict\nupstreams:\n  x:\n    url: u\n')).toContain(
      'holdpoint.yaml:4:3 upstreams.x.timeoutMs: is missing; it must be a number',
    );
  });

  it('follows an alias to where the value stands', () => {
    const text =
      'listen: a\ndurability: strict\nupstreams:\n  x: &x { url: u, timeoutMs: 1, bad: 1 }\n  y: *x\n';
    expect(complaint(text)).toContain('holdpoint.yaml:4:');
  });

  it.each([
    ['a duplicate key', 'listen: a\nlisten: b\n', 'holdpoint.yaml:2:1'],
    ['a tag it does not know', 'listen: !secret a\n', 'holdpoint.yaml:1:9'],
    ['two documents', 'listen: a\n---\nlisten: b\n', 'holdpoint.yaml:2:1'],
    ['broken syntax', 'listen: "a\n', 'holdpoint.yaml:'],
    [
      'a text instead of a map',
      'hello',
      'holdpoint.yaml:1:1 (top level): is a text; it must be a map with listen, durability, upstreams',
    ],
    ['nothing at all', '', 'holdpoint.yaml:1:1 (top level)'],
  ])('refuses %s', (_, text, expected) => {
    expect(complaint(text)).toContain(expected);
  });

  it('refuses aliases that multiply', () => {
    const levels = Array.from(
      { length: 12 },
      (_, level) => `l${level}: &l${level} [${level === 0 ? 'x' : `*l${level - 1},`.repeat(9)}]`,
    );
    expect(complaint(levels.join('\n'))).toMatch(/alias/i);
  });

  it('refuses a text over the bound', () => {
    expect(complaint(`listen: ${'a'.repeat(yamlBytesMax)}`)).toContain(`larger than ${yamlBytesMax} bytes`);
  });

  it('prints nothing of the file on stderr, whatever a key is', () => {
    const warn = vi.spyOn(process, 'emitWarning');
    try {
      expect(complaint('? { secret: 1 }\n: x\n')).toContain('is not a key here');
      expect(warn).not.toHaveBeenCalled();
    } finally {
      warn.mockRestore();
    }
  });

  it('lets no key reach a prototype', () => {
    const open = z.record(z.string(), z.unknown());
    readYaml('f', '__proto__: { polluted: true }\n', open, 'config_invalid');
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('nearest', () => {
  it.each([
    ['pahse', 'phase'],
    ['expires_in', 'expiresIn'],
    ['notrequester', 'notRequester'],
    ['xyzzy', undefined],
  ])('%s -> %s', (word, expected) => {
    expect(nearest(word, ['phase', 'expiresIn', 'notRequester', 'id'])).toBe(expected);
  });
});
