/** Readers of JSON texts, against the engine's own parser: what they take for one meaning has one, and stands where they say. */
import { isDeepStrictEqual } from 'node:util';
import { canonicalJson } from '../../../src/core/canonical-json.ts';
import { parseForRewrite } from '../../../src/provider/amending/amendment.ts';
import { batchEntriesOf, jsonBytes } from '../../../src/provider/batches/batch-lines.ts';
import { valueSources } from '../../../src/provider/bedrock/source.ts';
import { isRecord, jsonDepthMax, readJson, readJsonText } from '../../../src/provider/wire/json.ts';
import { memberSources } from '../../../src/provider/wire/json-source.ts';
import { eachElement, sourcesAt } from '../../../src/provider/wire/source-at-path.ts';
import { must, type Target } from '../target.ts';

const texts = [
  '{"content":[{"type":"tool_use","input":{"a":1.0,"b":[12345678901234567890]}},{"input":"x\\"]}"}]}',
  '{ "content" : [ [ ] , { "in\\u0070ut" : -0 } , {"input":[{"input":1}]} ], "b": {"content": [{"input":2}]} }',
  '[{"custom_id":"a","n":1e5},null,true,"\\ud83d\\ude00"]',
];
const seeds = () => texts.map((text) => Buffer.from(text));

/** How often an object of the text writes a key that it has already, by a parser of its own; -1 where it nests deeper than `depthMax`. */
function repeatedKeys(text: string, depthMax: number): number {
  const open: (Set<string> | null)[] = [];
  const tokens = text.match(/"(?:[^"\\]|\\.)*"\s*:?|[{}[\]]/gs) ?? [];
  let repeated = 0;
  for (const token of tokens) {
    if (token === '{' || token === '[') open.push(token === '{' ? new Set() : null);
    else if (token === '}' || token === ']') open.pop();
    else if (token.endsWith(':')) {
      const key = String(JSON.parse(token.slice(0, -1)));
      const keys = open.at(-1);
      if (keys?.has(key)) repeated += 1;
      keys?.add(key);
    }
    if (open.length > depthMax) return -1;
  }
  return repeated;
}

function parsed(text: string): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function checkReading(bytes: Buffer): void {
  const { value, defect } = readJson(bytes, 'it');
  const text = bytes.toString('utf8');
  const engine = parsed(text);
  if (defect === '') {
    must(engine !== null, 'what the engine cannot parse is read');
    must(isDeepStrictEqual(value, engine.value), 'another value is read than the engine parses');
    must(
      repeatedKeys(text, jsonDepthMax) === 0,
      'a text with a key twice, or too deep, is read without a defect',
    );
  } else if (engine !== null && Buffer.from(text).equals(bytes))
    must(
      repeatedKeys(text, jsonDepthMax) !== 0 || namesPrototype(engine.value),
      'a text of one meaning is called unreadable',
      () => defect,
    );
}

/** Some clients copy such a member by assignment, and have another object then. */
function namesPrototype(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, member]) => key === '__proto__' || namesPrototype(member));
}

/** A source must parse to the value that stands there. */
function checkSources(text: string, value: unknown): void {
  if (!isRecord(value) || !Array.isArray(value['content'])) return;
  const expected = new Map<string, unknown>();
  for (const [place, item] of value['content'].entries())
    if (isRecord(item) && Object.hasOwn(item, 'input')) expected.set(String(place), item['input']);
  const found = [
    sourcesAt(text, ['content', eachElement, 'input']),
    valueSources(text, ['content', null, 'input']),
    new Map([...memberSources(text, 'content', 'input')].map(([place, source]) => [String(place), source])),
  ];
  for (const [way, sources] of found.entries()) {
    const values = new Map([...sources].map(([place, source]) => [place, parsed(source)?.value]));
    must(isDeepStrictEqual(values, expected), `the sources of way ${way} are not the values`, () =>
      JSON.stringify({ sources: [...sources], expected: [...expected] }),
    );
  }
}

const reading: Target = {
  name: 'json-reading',
  seeds,
  inputBytesMax: 65_536,
  usPerByteMax: 10,
  run(input) {
    checkReading(input);
    const text = input.toString('utf8');
    const { value, defect } = readJsonText(text, 'it');
    if (defect !== '' || parsed(text) === null) return;
    checkSources(text, value);
    const again: unknown = JSON.parse(JSON.stringify(parseForRewrite(text)) ?? 'null');
    must(isDeepStrictEqual(again, JSON.parse(text)), 'rewriting nothing changes the value');
  },
};

/** Every number of a JSON text as an exact decimal, digits and exponent in their shortest, in order of size of text. */
function exactNumbers(text: string): readonly string[] {
  const bare = text.replace(/"(?:[^"\\]|\\.)*"/gs, '""');
  return (bare.match(/-?\d[\d.eE+-]*/g) ?? []).map(exactNumber).sort();
}

function exactNumber(source: string): string {
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(source) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  const exponent = BigInt(power) - BigInt(fraction.length) + BigInt(digits.length - significant.length);
  return `${sign}${significant}e${exponent}`;
}

const canonical: Target = {
  name: 'json-canonical',
  seeds,
  inputBytesMax: 65_536,
  usPerByteMax: 10,
  run(input) {
    const once = canonicalJson(input);
    if (once === null) return;
    must(canonicalJson(Buffer.from(once)) === once, 'the canonical text is not canonical');
    must(
      // 0 and -0 are one number to whoever compares.
      canonicalJson(Buffer.from(JSON.stringify(JSON.parse(input.toString('utf8'))))) === once,
      'the canonical text means something else',
    );
    const text = input.toString('utf8');
    if (repeatedKeys(text, Number.MAX_SAFE_INTEGER) === 0)
      must(
        isDeepStrictEqual(exactNumbers(once), exactNumbers(text)),
        'a number is another one in the canonical text',
      );
  },
};

const batch: Target = {
  name: 'json-batch-lines',
  seeds: () => [
    Buffer.from('{"custom_id":"a","body":{"n":1.0}}\n\n{"custom_id":"b","body":[]}\r\n'),
    ...seeds(),
  ],
  inputBytesMax: 65_536,
  usPerByteMax: 10,
  run(input) {
    const entries = [...batchEntriesOf(input)];
    const lines = input
      .toString('latin1')
      .split('\n')
      .filter((line) => /[^ \t\r]/.test(line));
    must(entries.length === lines.length, 'there are more or fewer lines than the file has');
    const good = entries.filter(({ defect }) => defect === '');
    must(new Set(good.map(({ customId }) => customId)).size === good.length, 'two lines have one id');
    for (const [place, { value, defect }] of entries.entries())
      if (defect === '')
        must(
          isDeepStrictEqual(
            JSON.parse(jsonBytes(value).toString('utf8')),
            JSON.parse(Buffer.from(lines[place] ?? '', 'latin1').toString('utf8')),
          ),
          'a line of the batch is handed out as something else',
        );
  },
};

export const targets: readonly Target[] = [reading, canonical, batch];
