import { expect, test } from 'vitest';
import { createSseSplitter, type SseEvent } from '../../../../src/provider/wire/sse.ts';

function split(text: string | Buffer, eventBytesMax?: number): { events: SseEvent[]; rest: string } {
  const splitter = createSseSplitter(eventBytesMax);
  const events = splitter.push(Buffer.from(text));
  return { events, rest: splitter.finish().rest.toString() };
}

const read = (text: string) => split(text).events.map(({ event, data }) => ({ event, data }));

test('an event keeps its bytes and gives its name and data', () => {
  const { events, rest } = split('event: ping\ndata: {"a":1}\n\ntail');
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({ event: 'ping', data: '{"a":1}', hasData: true, defect: '' });
  expect(events[0]?.raw.toString()).toBe('event: ping\ndata: {"a":1}\n\n');
  expect(rest).toBe('tail');
});

test.each([
  ['LF', '\n'],
  ['CRLF', '\r\n'],
  ['a lone CR', '\r'],
])('lines end in %s', (_name, end) => {
  const text = `data: a${end}${end}data: b${end}${end}x`;
  expect(read(text)).toEqual([
    { event: '', data: 'a' },
    { event: '', data: 'b' },
  ]);
});

test('data needs no space after its colon and loses only one', () => {
  expect(read('data:a\n\ndata:  b\n\ndata\n\n').map((event) => event.data)).toEqual(['a', ' b', '']);
});

test('several data lines are joined by newlines', () => {
  expect(read('data: a\ndata: b\n\n')).toEqual([{ event: '', data: 'a\nb' }]);
});

test('comments and other fields are no data', () => {
  const { events } = split(': waiting\n\nid: 7\nretry: 1\n\n');
  expect(events.map((event) => event.hasData)).toEqual([false, false]);
});

test('a byte order mark opens a stream without harm', () => {
  expect(split('\uFEFFdata: a\n\n').events[0]).toMatchObject({ data: 'a', defect: '' });
});

test('a byte order mark inside the stream is read as the SDKs read it, and named', () => {
  const hidden = split('data: a\n\n\uFEFFdata: b\n\n').events[1];
  expect(hidden?.data).toBe('b');
  expect(hidden?.defect).toContain('byte order mark');
});

test('a CR at the end of a chunk waits for its LF', () => {
  const splitter = createSseSplitter();
  expect(splitter.push(Buffer.from('data: a\r\n\r'))).toHaveLength(0);
  const [event] = splitter.push(Buffer.from('\ndata: b'));
  expect(event?.raw.toString()).toBe('data: a\r\n\r\n');
  expect(splitter.finish().rest.toString()).toBe('data: b');
});

test('an unfinished last event is rest and still says what it says', () => {
  const splitter = createSseSplitter();
  splitter.push(Buffer.from('data: {"a"'));
  splitter.push(Buffer.from(':1}\n'));
  const { rest, event } = splitter.finish();
  expect(rest.toString()).toBe('data: {"a":1}\n');
  expect(event?.data).toBe('{"a":1}');
});

test('an event above 1 MB in small chunks comes out whole, in linear time', () => {
  const text = `data: ${'x'.repeat(3_000_000)}\n\n`;
  const bytes = Buffer.from(text);
  const splitter = createSseSplitter();
  const started = performance.now();
  const events: SseEvent[] = [];
  for (let at = 0; at < bytes.length; at += 100) events.push(...splitter.push(bytes.subarray(at, at + 100)));
  expect(events[0]?.data.length).toBe(3_000_000);
  // 30 000 chunks: quadratic copying would move 45 GB.
  expect(performance.now() - started).toBeLessThan(3_000);
});

test('an event of nothing but CRs is split in linear time', () => {
  const started = performance.now();
  expect(split(`data: a${'\r'.repeat(200_000)}x`).events).toHaveLength(199_999);
  expect(performance.now() - started).toBeLessThan(3_000);
});

test('an event over the bound is handed on unparsed, whole in bytes, and named', () => {
  const text = `data: ${'x'.repeat(50)}\n\ndata: ok\n\n`;
  const splitter = createSseSplitter(20);
  const events: SseEvent[] = [];
  for (const byte of Buffer.from(text)) events.push(...splitter.push(Buffer.from([byte])));
  expect(Buffer.concat(events.map((event) => event.raw)).toString()).toBe(text);
  expect(events.at(-1)).toMatchObject({ data: 'ok', defect: '' });
  expect(events.slice(0, -1).every((event) => event.defect.includes('larger than 20 bytes'))).toBe(true);
});

test('a field named error names the event so, as one server wrote its failures', () => {
  expect(split('error: {"code":400}\n\n').events[0]).toMatchObject({ event: 'error', hasData: false });
});
