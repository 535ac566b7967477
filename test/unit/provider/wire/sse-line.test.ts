import { describe, expect, test } from 'vitest';
import { createSseSplitter } from '../../../../src/provider/wire/sse.ts';

function defectOf(text: string): string {
  const [event] = createSseSplitter().push(Buffer.from(text));
  return event?.defect ?? 'no event';
}

const call = '{"call":"transfer_funds"}';

describe('a line that only some clients take for data is a defect', () => {
  test.each([
    ['JSON that no stream was asked for', `${call}\n\n`],
    ['white space before the field', ` data: ${call}\n\n`],
    ['another case', `DATA: ${call}\n\n`],
    ['white space in the field’s name', `data : ${call}\n\n`],
    ['a form feed before the field', `\fdata: ${call}\n\n`],
  ])('%s', (_name, text) => {
    expect(defectOf(text)).toBe('a line of the stream is no field of an event');
  });

  test.each([
    ['a comment', `: data: ${call}\n\n`],
    ['an event’s name', `event: data: ${call}\ndata: {}\n\n`],
    ['an id', `id: 1 data:${call}\n\n`],
  ])('data within %s', (_name, text) => {
    expect(defectOf(text)).toBe('a line that is no data has data within it');
  });

  test.each(['\v', '\f', '\x1c', '\x1d', '\x1e', '\x85', '\u2028', '\u2029'])(
    'a comment that goes on after %j, which ends a line in Python',
    (end) => {
      expect(defectOf(`: waiting${end}event: ping\ndata: {}\n\n`)).toBe(
        'a line that is no data may be read as several',
      );
    },
  );

  test('a line of several that is an event by itself', () => {
    expect(defectOf(`data: {"choices":[],"x":\ndata: ${call}\ndata: }\n\n`)).toBe(
      'a line of an event may be read as an event',
    );
  });
});

describe('no defect is', () => {
  test.each([
    ['a comment', ': OPENROUTER PROCESSING\n\n'],
    ['every field of the standard', 'id: 7\nretry: 3000\nevent: message\ndata: {}\n\n'],
    ['a field without a colon', 'id\nevent\nretry\ndata\n\n'],
    ['a comment in another script', ': 待って…é\n\n'],
    ['a text with the line ends of Python', 'data: {"text":"a\u2028b\u2029c\x85d"}\n\n'],
    ['a text that speaks of data', 'data: {"text":"data: x"}\n\n'],
    ['a JSON text on several lines', 'data: {\ndata:   "a": [1]\ndata: }\n\n'],
  ])('%s', (_name, text) => {
    expect(defectOf(text)).toBe('');
  });
});
