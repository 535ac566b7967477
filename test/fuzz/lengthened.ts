/** Answers made longer by one of their events, or by one list within one, over and over: alike, or each a little different. */
import type { Transcript } from '../support/transcripts.ts';

/** What becomes long, and the answer in which it is there so many times. */
export interface Lengthened {
  readonly what: string;
  of(times: number): Buffer;
}

/** Of a long stream the first ones have all that is in the others. */
const eventsMax = 12;
/** Who keeps things apart by these sees as many as there are. */
const counting = /^(index|output_index|content_index|contentBlockIndex)$/;
/** Another word here is another kind of event. */
const naming = /^(type|object|role|status|event|finish_reason|finishReason|stop_reason)$/;

type Path = readonly (string | number)[];

/** The same with another number in each of its texts. */
function numbered(value: unknown, at: number): unknown {
  if (typeof value === 'string') return `${value}${at}`;
  if (Array.isArray(value)) return value.map((element) => numbered(element, at));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      if (counting.test(name)) return [name, at];
      return [name, naming.test(name) ? member : numbered(member, at)];
    }),
  );
}

function listsIn(value: unknown, path: Path = []): { readonly path: Path; readonly list: unknown[] }[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Array.isArray(value) && value.length > 0 ? [{ path, list: value }] : [];
  const members = Array.isArray(value) ? [...value.entries()].slice(0, 3) : Object.entries(value);
  return [...own, ...members.flatMap(([name, member]) => listsIn(member, [...path, name]))];
}

function withIn(value: unknown, [name, ...rest]: Path, replacement: unknown): unknown {
  if (name === undefined) return replacement;
  if (Array.isArray(value))
    return value.map((member, i) => (i === name ? withIn(member, rest, replacement) : member));
  const record: Readonly<Record<string, unknown>> = Object(value);
  return { ...record, [name]: withIn(record[name], rest, replacement) };
}

function times<Made>(count: number, make: (at: number) => Made): Made[] {
  return Array.from({ length: count }, (_, at) => make(at));
}

/** Ways to make a JSON text longer. */
function longerTexts(text: string): { readonly what: string; of(count: number): string }[] {
  const value: unknown = JSON.parse(text);
  return listsIn(value).flatMap(({ path, list }) => {
    const make = (element: (at: number) => unknown) => (count: number) =>
      JSON.stringify(withIn(value, path, times(count, element)));
    const same = make((at) => list[at % list.length]);
    const differing = make((at) => numbered(list[at % list.length], at));
    const place = path.join('.');
    return [
      { what: `${place}, alike`, of: same },
      { what: `${place}, differing`, of: differing },
    ];
  });
}

/** The beginning of an event's data, and the data; null where it has none that is JSON. */
function dataOf(event: string): { readonly before: string; readonly json: string } | null {
  const json = /[[{].*[\]}]/s.exec(event)?.[0];
  if (json === undefined) return null;
  try {
    JSON.parse(json);
  } catch {
    // A word, or data on several lines: the event as a whole is repeated all the same.
    return null;
  }
  return { before: event.slice(0, event.indexOf(json)), json };
}

function longerEvents(all: readonly string[], end: string): Lengthened[] {
  return all.slice(0, eventsMax).flatMap((event, place) => {
    const make = (what: string, middle: (count: number) => readonly string[]): Lengthened => ({
      what: `event ${place}, ${what}`,
      of: (count) =>
        Buffer.from([...all.slice(0, place), ...middle(count), ...all.slice(place + 1), ''].join(end)),
    });
    const again = make('alike', (count) => times(count, () => event));
    const data = dataOf(event);
    if (data === null) return [again];
    const { before, json } = data;
    const value: unknown = JSON.parse(json);
    return [
      again,
      make('differing', (count) => times(count, (at) => before + JSON.stringify(numbered(value, at)))),
      ...longerTexts(json).map(({ what, of }) => make(what, (count) => [before + of(count)])),
    ];
  });
}

function framesIn(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt32BE(at))
    frames.push(bytes.subarray(at, at + bytes.readUInt32BE(at)));
  return frames;
}

/** Everything in an answer that there can be more of. */
export function lengthened({ form, bytes }: Transcript): readonly Lengthened[] {
  if (form === 'aws-eventstream') {
    const frames = framesIn(bytes);
    return frames.slice(0, eventsMax).map((frame, place) => ({
      what: `frame ${place}, alike`,
      of: (count) =>
        Buffer.concat([...frames.slice(0, place), ...times(count, () => frame), ...frames.slice(place + 1)]),
    }));
  }
  const text = bytes.toString('utf8');
  const end = form === 'sse' ? '\n\n' : '\n';
  if (form === 'sse' || form === 'ndjson')
    return longerEvents(
      text
        .replaceAll('\r\n', '\n')
        .split(end)
        .filter((event) => event.trim() !== ''),
      end,
    );
  return longerTexts(text).map(({ what, of }) => ({ what, of: (count) => Buffer.from(of(count)) }));
}
