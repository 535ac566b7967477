/** One slip in a file is one message, at the slip, with what was expected there. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { configSchema } from '../../../src/config/schema.ts';
import { readYaml } from '../../../src/config/yaml.ts';
import { HoldpointError } from '../../../src/core/errors.ts';
import { policySchema } from '../../../src/policy/schema.ts';

function refusal(text: string, schema: z.ZodType): string {
  try {
    readYaml('f', text, schema, 'config_invalid');
  } catch (error) {
    if (error instanceof HoldpointError) return error.message;
    throw error;
  }
  return '';
}

const rule = (...lines: string[]) => ['rules:', '  - id: a', ...lines].join('\n');

describe('one slip in a configuration', () => {
  it.each([
    [
      'an indentation that fits nothing',
      'proxy:\n  listen: 127.0.0.1:1\n control:\n  listen: 127.0.0.1:2\n',
      'f:3:2 is indented by 1 space; expected 0 or 2, as lines above it are',
    ],
    [
      'a setting indented below another that has a value',
      'upstreams:\n  openai:\n    url: https://a\n     protocol: openai\n    mount: /\nlog: {}\n',
      'f:4:6 is indented below line 3, which has a value already; expected 4 spaces, as there',
    ],
    [
      'settings that are not indented below theirs',
      'upstreams:\n  openai:\n  url: https://a\n  protocol: openai\n',
      'f:2:3 upstreams.openai: has nothing below it; expected url, protocol there, which are not indented deeper than it',
    ],
    [
      'the same, with others around',
      'upstreams:\n  a: { protocol: openai }\n  b:\n  protocol: openai\n  c: { protocol: openai }\n',
      'f:3:3 upstreams.b: has nothing below it; expected protocol there, which is not indented deeper than it',
    ],
    [
      'the same in two sections',
      'proxy:\nlisten: 127.0.0.1:1\ncontrol:\nlisten: 127.0.0.1:2\n',
      'f:4:1 is a key for the second time in its map; expected it below line 3, indented by 2 spaces',
    ],
    [
      'a section below another',
      'proxy:\n  listen: 127.0.0.1:1\n  control:\n    listen: 127.0.0.1:2\n',
      'f:3:3 proxy.control: is not a key here, but at the top level; expected it less indented',
    ],
    [
      'a section of which all is commented out',
      'proxy:\n  # listen: 127.0.0.1:1\n',
      'f:1:7 proxy: has nothing below it; it must be a map (or remove the key)',
    ],
    ['a tab', 'proxy:\n\tlisten: 127.0.0.1:1\nlog: {}\n', 'f:2:1 is indented with a tab; expected spaces'],
    [
      'no colon after a section',
      'proxy\n  listen: 127.0.0.1:1\nlog: {}\n',
      'f:1:1 has no colon; expected "key:" or "key: value"',
    ],
    [
      'no colon',
      'proxy:\n  listen 127.0.0.1:1\n',
      'f:2:3 proxy: has listen with no colon; expected "listen: value"',
    ],
    [
      'no space after a colon',
      'proxy:\n  listen:127.0.0.1:1\n',
      'f:2:3 proxy: has listen with no space after its colon; expected "listen: value"',
    ],
    [
      'no space after a colon, with a setting below it',
      'proxy:\n  listen:127.0.0.1:1\n  others: pass\n',
      'f:2:3 has no space after its colon; expected "key: value"',
    ],
    [
      'a bracket that is not closed',
      'proxy: { listen: 127.0.0.1:1\ncontrol: { listen: 127.0.0.1:2 }\n',
      'f:1:8 opens with { and is not closed; expected }',
    ],
    [
      'a quote that is not closed',
      'proxy:\n  listen: "127.0.0.1:1\n  others: pass\nlog: {}\n',
      'f:2:11 opens with " and is not closed; expected "',
    ],
    [
      'a list without space after its signs',
      'control:\n  people:\n    -a\n    -b\n',
      'f:3:5 control.people: has no space after the - of an item; expected "- " before each item of the list',
    ],
    [
      'a list among keys',
      'upstreams:\n  a:\n    protocol: openai\n    - x\n',
      'f:4:5 is an item of a list among keys; expected "key: value", or the list indented below its key',
    ],
    [
      'more levels than anybody writes',
      `proxy: ${'['.repeat(3_000)}`,
      expect.stringMatching(/^f:1:\d+ is nested too deep; /),
    ],
    [
      'a host that begins with a star',
      'control:\n  hosts:\n    - *.example.com\n',
      'f:3:7 begins with *, which makes it an alias; expected quotes around such a text',
    ],
  ])('is told once: %s', (_, text, said) => {
    expect(refusal(text, configSchema)).toEqual(said);
  });

  it.each([
    ['a policy for a configuration', 'version: "1"\nrules: []\n', configSchema, 'proxy, control, data'],
    ['a configuration for a policy', 'proxy: {}\ndata: {}\nlog: {}\n', policySchema, 'version, rules;'],
  ])('is told once: %s', (_, text, schema, known) => {
    const said = refusal(text, schema);
    expect(said).toContain('f:1:1 (top level): has no key that a file of this kind has, which are ');
    expect(said).toContain(known);
    expect(said.split('\n')).toHaveLength(1);
  });

  it('of a URL without its scheme is told with what one looks like', () => {
    expect(refusal('upstreams:\n  a: { url: api.openai.com, protocol: openai }\n', configSchema)).toBe(
      'f:2:13 upstreams.a.url: is "api.openai.com"; it must be a URL such as https://api.openai.com',
    );
  });

  it.each([
    'upstreams:\n  a:\n    key sk-SECRET\n',
    'upstreams:\n  a:\n    key sk-SECRET\n    protocol: openai\n',
    'upstreams:\n  a:\n    key:sk-SECRET\n    protocol: openai\n',
    'control: { signIn: { oidc: { issuer: https://a, clientId: a, clientSecret: SECRET, roles: [] } } }\n',
    'upstreams:\n  a: { protocol: openai, key: { env: "SECRET }\n',
  ])('repeats no secret that stands where it does not belong: %j', (text) => {
    expect(refusal(text, configSchema)).toMatch(/^f:\d/);
    expect(refusal(text, configSchema)).not.toContain('SECRET');
  });
});

describe('one slip in a policy', () => {
  it.each([
    [
      'an expression that begins with an exclamation mark',
      rule('    when: !request.stream'),
      'f:3:11 begins with !, which makes it a tag; expected quotes around such a text',
    ],
    [
      'an expression with a colon',
      rule('    when: a ? b : c'),
      'f:3:11 has a colon and a space in a value; expected quotes around the value, or it below a |',
    ],
    [
      'an expression that begins with a text of its own',
      rule('    when: "a" == request.model'),
      'f:3:15 goes on after a quoted text; expected the end of the line (put single quotes around all of it, or write it below a |)',
    ],
    [
      'an apostrophe in single quotes',
      rule("    title: 'it's held'"),
      "f:3:16 goes on after a quoted text; expected the end of the line (inside single quotes, '' is one)",
    ],
    [
      'a backslash in double quotes',
      rule('    when: "a\\d"'),
      'f:3:13 is no escape; in double quotes expected \\\\ for a backslash, or single quotes around the text',
    ],
    [
      'a text on the line of its sign',
      rule('    when: | a && b'),
      'f:3:13 stands on the line of | or >; expected the text on the lines below, indented',
    ],
    [
      'a setting of a rule less indented than the first',
      rule('   title: t', '    when: x'),
      'f:3:4 is indented by 3 spaces; expected 0 or 4, as lines above it are',
    ],
    [
      'a rule less indented than the first',
      rule('    title: t', ' - id: b'),
      'f:4:2 is indented by 1 space; expected 2, as lines above it are',
    ],
    [
      'a rule as deep as the settings of the first',
      rule('    title: t', '    - id: b'),
      'f:4:5 is indented by 4 spaces; expected 2, as lines above it are',
    ],
    [
      'items without space after their signs',
      'rules:\n  -id: a\n  -id: b\n',
      'f:3:3 has no space after its -; expected "- " before each item of a list',
    ],
  ])('is told once: %s', (_, text, said) => {
    expect(refusal(text, policySchema)).toBe(said);
  });

  it('tells terms of a hold that are not indented below it once, beside what else the rule lacks', () => {
    const lines = refusal(rule('    hold:', '    expiresIn: 15m', '    approvals: 1'), policySchema).split(
      '\n',
    );
    expect(lines.filter((line) => /expiresIn|approvals/.test(line))).toEqual([
      'f:3:5 rules[0].hold: has nothing below it; expected expiresIn, approvals there, which are not indented deeper than it',
    ]);
  });
});

describe('whatever is slipped in', () => {
  const pieces = [
    'a: 1',
    'b:',
    '- c',
    '-d: e',
    'f',
    '{',
    ']',
    '"',
    "'",
    ': ',
    '- - x: y',
    '\t',
    '|',
    '&h',
    '*h',
    '!t',
    '?',
    '#',
    '---',
  ];
  const line = fc
    .tuple(fc.integer({ min: 0, max: 5 }), fc.array(fc.constantFrom(...pieces), { maxLength: 3 }))
    .map(([indent, parts]) => `${' '.repeat(indent)}${parts.join(' ')}`);

  it('every line that is said names a place of the file, and a text that is no YAML gets one', () => {
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), (lines) => {
        const text = lines.join('\n');
        // Comments alone are a configuration.
        const said = refusal(text, configSchema)
          .split('\n')
          .filter((each) => each !== '');
        for (const each of said) {
          const [, at, column] = /^f:(\d+):(\d+) \S/.exec(each) ?? [];
          expect(Number(at)).toBeLessThanOrEqual(lines.length);
          expect(Number(column)).toBeLessThanOrEqual((lines[Number(at) - 1] ?? '').length + 1);
          if (/ expected | is no YAML/.test(each) && !/^f:\S+ [\w.()[\] ]+: /.test(each))
            expect(said).toHaveLength(1);
        }
      }),
      { numRuns: 700 },
    );
  });
});
