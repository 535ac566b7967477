import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stepsOf, withoutMembers } from '../../../src/provider/wire/removed-members.ts';

const steps = stepsOf(['tools.*.key', 'key.deep', 'all']);
const mark = '[removed]';
const name = fc.constantFrom('tools', 'key', 'deep', 'all', 'type', 'Key', 'k\u0065y', 'a"b', '\\', 'é');
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom<unknown>(null, true, -1.5e3, 0, '', 'plain', '"', '\\"', '{"key":"x"}', '\ud83d\ude00'),
    fc.dictionary(name, tie('value'), { maxKeys: 4 }),
    fc.array(tie('value'), { maxLength: 4 }),
  ),
}));

/** The same, done on the value. */
function expected(from: unknown, path: readonly string[], isRemoved: boolean): unknown {
  if (Array.isArray(from)) return from.map((item) => expected(item, [...path, '*'], isRemoved));
  if (typeof from === 'object' && from !== null)
    return Object.fromEntries(
      Object.entries(from).map(([key, item]) => {
        const here = [...path, key.toLowerCase()];
        const meant = /^(tools,.+,key|key,deep|all)$/.test(here.join()) && here[0] !== undefined;
        const depth = here.length;
        const found = meant && ((here[0] === 'tools' && depth === 3) || depth < 3);
        return [key, expected(item, here, key !== 'type' && (isRemoved || found))];
      }),
    );
  return isRemoved && (typeof from === 'string' || typeof from === 'number') ? '[removed]' : from;
}

const latin1 = (text: string): string => Buffer.from(text).toString('latin1');
const utf8 = (text: string): string => Buffer.from(text, 'latin1').toString('utf8');

test('exactly what stands where a path leads is taken out, whatever surrounds it', () => {
  fc.assert(
    fc.property(fc.dictionary(name, value), fc.constantFrom(undefined, 1, '\t'), (body, indent) => {
      const { text, removed } = withoutMembers(latin1(JSON.stringify(body, null, indent)), steps, mark);
      const wanted = expected(JSON.parse(JSON.stringify(body)), [], false);
      expect(JSON.parse(utf8(text))).toEqual(wanted);
      expect(utf8(text)).toBe(JSON.stringify(wanted, null, indent));
      expect(removed > 0).toBe(JSON.stringify(wanted) !== JSON.stringify(body));
    }),
    { numRuns: 500 },
  );
});

test('bytes that are no JSON are gone through to their end', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('{', '}', '[', ']', '"', ',', ':', '\\', '\n', '1', 'all')),
      (parts) => {
        const { text, removed } = withoutMembers(parts.join(''), steps, mark);
        if (removed === 0) expect(text).toBe(parts.join(''));
      },
    ),
  );
});
