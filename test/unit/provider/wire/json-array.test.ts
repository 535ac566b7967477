import { describe, expect, test } from 'vitest';
import { createArraySplitter } from '../../../../src/provider/wire/json-array.ts';

function split(text: string, elementBytesMax?: number) {
  const splitter = createArraySplitter(elementBytesMax);
  const elements = splitter.push(Buffer.from(text));
  return { elements, ...splitter.finish() };
}

const elementsOf = (text: string) =>
  split(text).elements.map(({ raw, start, defect }) =>
    defect === '' ? raw.toString('utf8', start) : defect,
  );

describe('an array of objects', () => {
  test('gives its elements without what stands between them', () => {
    expect(elementsOf('[{"a": 1}\n,\r\n{"b": [{}]}\n]\n')).toEqual(['{"a": 1}', '{"b": [{}]}']);
  });

  test('gives an element as soon as its last brace is there', () => {
    const splitter = createArraySplitter();
    expect(splitter.push(Buffer.from('[{"a":{}'))).toHaveLength(0);
    expect(splitter.push(Buffer.from('}'))).toHaveLength(1);
  });

  test('does not end inside a text, whatever the text says', () => {
    const element = '{"a":"}],{\\"}\\\\","b":"\\u007d"}';
    expect(elementsOf(`[${element},{}]`)).toEqual([element, '{}']);
  });

  test('keeps every byte', () => {
    const text = ' [\n{"a":1} , {"b":2}\t]\r\n';
    const { elements, rest } = split(text);
    expect(Buffer.concat([...elements.map(({ raw }) => raw), rest]).toString()).toBe(text);
  });

  test.each(['[]', ' [ ] ', '[{}]', '[{}\n]\r\n'])('%j is closed', (text) => {
    expect(split(text).closed).toBe(true);
  });

  test.each(['', '[', '[{}', '[{},', '[{"a":'])('%j is not closed', (text) => {
    const { elements, closed } = split(text);
    expect(closed).toBe(false);
    expect(elements.every(({ defect }) => defect === '')).toBe(true);
  });
});

describe('what is no array of objects', () => {
  test.each(['{"a":1}', '[1]', '["a"]', '[[1]]', '[{},]', '[,{}]', '[{}{}]', '[{}]]', '[{}];', 'data: [{}]'])(
    '%s is broken, and never closed',
    (text) => {
      const { elements, rest, closed } = split(text);
      expect(elements.at(-1)?.defect).toBe('the stream is not a JSON array of objects');
      expect(closed).toBe(false);
      expect(Buffer.concat([...elements.map(({ raw }) => raw), rest]).toString()).toBe(text);
    },
  );

  test('stays broken, and hands every further byte out', () => {
    const splitter = createArraySplitter();
    splitter.push(Buffer.from('[{},]'));
    expect(
      splitter.push(Buffer.from('[{}]')).map(({ raw, defect }) => [raw.toString(), defect !== '']),
    ).toEqual([['[{}]', true]]);
  });
});

test('an element above the bound is handed out unparsed, and the one after it is whole again', () => {
  const { elements, closed } = split(`[{"a":"${'x'.repeat(50)}"},{"b":1}]`, 20);
  expect(elements.map(({ defect }) => defect !== '')).toEqual([true, false]);
  expect(closed).toBe(true);
});

test('an element that never ends is not kept', () => {
  const splitter = createArraySplitter(20);
  const out = splitter.push(Buffer.from(`[{"a":"${'x'.repeat(50)}`));
  expect(out).toMatchObject([{ defect: 'an element of the stream is larger than 20 bytes' }]);
  expect(splitter.finish().rest).toHaveLength(0);
});
