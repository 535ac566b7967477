import { describe, expect, test } from 'vitest';
import { createNdjsonSplitter, type NdjsonLine } from '../../../../src/provider/wire/ndjson.ts';
import { eachElement, sourcesAt } from '../../../../src/provider/wire/source-at-path.ts';

function split(text: string, lineBytesMax?: number): { lines: NdjsonLine[]; rest: string } {
  const splitter = createNdjsonSplitter(lineBytesMax);
  const lines = splitter.push(Buffer.from(text));
  return { lines, rest: splitter.finish().rest.toString() };
}

describe('a line of JSON', () => {
  test('keeps its bytes and gives its text without the ending', () => {
    const { lines, rest } = split('{"a":1}\n{"b":2}\r\n{"c"');
    expect(lines.map(({ raw, text }) => [raw.toString(), text])).toEqual([
      ['{"a":1}\n', '{"a":1}'],
      ['{"b":2}\r\n', '{"b":2}'],
    ]);
    expect(rest).toBe('{"c"');
  });

  test('is not ended by a lone CR, which JSON may have between its tokens', () => {
    expect(split('{"a":\r1}\n').lines.map(({ text }) => text)).toEqual(['{"a":\r1}']);
  });

  test('may be blank', () => {
    expect(split('\n\r\n').lines.map(({ text }) => text)).toEqual(['', '']);
  });

  test('that is not ended is what it is to clients that flush at the end of a body', () => {
    const splitter = createNdjsonSplitter();
    splitter.push(Buffer.from('{"a"'));
    splitter.push(Buffer.from(':1}'));
    const { rest, line } = splitter.finish();
    expect(rest.toString()).toBe('{"a":1}');
    expect(line?.text).toBe('{"a":1}');
  });

  test('beyond the bound comes in unparsed fragments, and the next line is read again', () => {
    const splitter = createNdjsonSplitter(4);
    const lines = [...splitter.push(Buffer.from('123456')), ...splitter.push(Buffer.from('78\n{}\n'))];
    expect(lines.map(({ text }) => text)).toEqual(['', '', '{}']);
    expect(lines.map(({ defect }) => defect !== '')).toEqual([true, true, false]);
    expect(Buffer.concat(lines.map(({ raw }) => raw)).toString()).toBe('12345678\n{}\n');
  });
});

describe('the source of a value inside a JSON text', () => {
  test('is found through members and lists, with its spelling', () => {
    const text = '{"x":{"calls":[1,{"f":{"a":{"n": 1.0 , "s":"}]\\""}}},{"f":{}},{"f":{"a":[2.50]}}]}}';
    expect([...sourcesAt(text, ['x', 'calls', eachElement, 'f', 'a'])]).toEqual([
      ['1', '{"n": 1.0 , "s":"}]\\""}'],
      ['3', '[2.50]'],
    ]);
  });

  test('is keyed by every list on the way', () => {
    const text = ' { "c" : [ { "t" : [ 1 , 2.0 ] } , { "t" : [ "x,y" ] } ] } ';
    expect([...sourcesAt(text, ['c', eachElement, 't', eachElement])]).toEqual([
      ['0.0', '1'],
      ['0.1', '2.0'],
      ['1.0', '"x,y"'],
    ]);
  });

  test('is found under a name that is written with escapes', () => {
    expect([...sourcesAt('{"\\u0061": 1.0}', ['a'])]).toEqual([['', '1.0']]);
  });

  test('is not found where the path leads to something else', () => {
    expect(sourcesAt('{"a":"[1]","b":[]}', ['a', eachElement]).size).toBe(0);
    expect(sourcesAt('{"a":{}}', ['a', eachElement]).size).toBe(0);
    expect(sourcesAt('[]', ['a']).size).toBe(0);
  });
});
