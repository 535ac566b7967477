import { expect, test } from 'vitest';
import { jsonDepthMax, parsedRecord, readJson, readJsonText } from '../../../../src/provider/wire/json.ts';

const defectOf = (text: string) => readJsonText(text, 'the body').defect;

test('a clean text has its value and no defect', () => {
  const text = '{"a":[{"b":"x:\\"y\\\\"},{"b":2}],"c":{"a":{}}}';
  expect(readJsonText(text, 'the body')).toEqual({ value: JSON.parse(text), defect: '' });
});

test.each([
  ['at the top', '{"a":1,"a":2}', '"a"'],
  ['inside a list', '[[{"x":{"k":1,"l":2,"k":3}}]]', '"k"'],
  ['spelled with an escape', '{"amount":1,"\\u0061mount":2}', '"amount"'],
  ['that is a number', '{"1":1,"1":2}', '"1"'],
  ['that is empty', '{"":1,"":2}', '""'],
  ['after a long text with escapes', `{"a":"${'x\\"'.repeat(50)}","a":2}`, '"a"'],
])('a repeated key %s is named', (_where, text, key) => {
  expect(defectOf(text)).toBe(`the body has the key ${key} more than once`);
});

test.each([
  '{"a":":","b":"\\\\","c":"\\\\\\""}',
  '{"a":{"a":{"a":1}}}',
  '[{"a":1},{"a":1}]',
  `{"long":"${'\\\\'.repeat(40)}","b":":"}`,
  `{"constructor":2,"toString":3,"text":"__proto__"}`,
  '"a:b"',
  '{}',
])('%s repeats no key', (text) => {
  expect(defectOf(text)).toBe('');
});

test.each([
  ['at the top', '{"__proto__":{"tool_calls":[]}}'],
  ['inside a list', '[{"a":{"__proto__":1}}]'],
  ['written twice', '{"__proto__":1,"__proto__":2}'],
  ['beside a key that is repeated', '{"a":1,"a":2,"b":{"__proto__":1}}'],
  ['spelled with an escape', '{"__pr\\u006Fto__":{}}'],
])('the key that some clients take for a prototype is named %s', (_where, text) => {
  expect(defectOf(text)).toBe('the body has the key "__proto__"');
});

test('text that is not JSON is named and has no value', () => {
  expect(readJsonText('{"a":NaN}', 'the body')).toEqual({ value: undefined, defect: 'the body is not JSON' });
});

test('bytes that are not UTF-8 are named', () => {
  expect(readJson(Buffer.from([0x22, 0xff, 0x22]), 'the body').defect).toBe('the body is not valid UTF-8');
});

test('nesting is accepted to its bound and refused beyond', () => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  expect(defectOf(nested(jsonDepthMax))).toBe('');
  expect(defectOf(nested(jsonDepthMax + 1))).toContain('nested deeper');
  expect(defectOf(nested(500_000))).toContain('nested deeper');
});

test('a long run of backslashes and quotes is scanned in linear time', () => {
  const started = performance.now();
  expect(defectOf(`{"a":"${'\\\\\\"'.repeat(300_000)}","b":1}`)).toBe('');
  expect(performance.now() - started).toBeLessThan(2_000);
});

test('only an object is a record', () => {
  expect(parsedRecord('{"a":1}')).toEqual({ a: 1 });
  expect(parsedRecord('[1]')).toBeNull();
  expect(parsedRecord('{')).toBeNull();
});
