/** Changes to an input's bytes: those of any fuzzer, and those that know lines, events, JSON and Amazon's frames. */
import { withPayload } from '../../src/provider/wire/aws-eventstream.ts';
import { mutateJson } from './mutate-json.ts';
import type { Random } from './random.ts';

export interface Materials {
  readonly random: Random;
  /** Texts that parsers compare with, and those of known good inputs. */
  readonly dictionary: readonly Buffer[];
  readonly corpus: readonly Buffer[];
  readonly inputBytesMax: number;
}

type Mutation = (input: Buffer, materials: Materials) => Buffer;

const none = Buffer.alloc(0);

function replaced(input: Buffer, start: number, end: number, by: Buffer): Buffer {
  return Buffer.concat([input.subarray(0, start), by, input.subarray(end)]);
}

/** Start and end of a part of at most `bytesMax` bytes. */
function somePart(input: Buffer, random: Random, bytesMax: number): readonly [number, number] {
  const start = random.below(input.length + 1);
  return [start, Math.min(input.length, start + 1 + random.below(bytesMax))];
}

const interesting = [
  0, 1, 0x0a, 0x0d, 0x20, 0x22, 0x2c, 0x3a, 0x5c, 0x7b, 0x7d, 0x7f, 0x80, 0xc3, 0xef, 0xff,
];

const setByte: Mutation = (input, { random }) => {
  if (input.length === 0) return Buffer.of(random.below(256));
  const changed = Buffer.from(input);
  const at = random.below(input.length);
  const byte = changed[at] ?? 0;
  const ways = [
    byte ^ (1 << random.below(8)),
    random.pickFrom(interesting) ?? 0,
    random.below(256),
    byte + 1,
  ];
  changed[at] = (random.pickFrom(ways) ?? 0) & 0xff;
  return changed;
};

const cutOut: Mutation = (input, { random }) => {
  const [start, end] = somePart(input, random, random.oneIn(4) ? input.length : 12);
  return replaced(input, start, end, none);
};

const repeat: Mutation = (input, { random }) => {
  const [start, end] = somePart(input, random, random.oneIn(3) ? 400 : 24);
  return replaced(input, end, end, input.subarray(start, end));
};

const token: Mutation = (input, { random, dictionary }) => {
  const written = random.pickFrom(dictionary) ?? none;
  const at = random.below(input.length + 1);
  return replaced(input, at, random.oneIn(2) ? at : Math.min(input.length, at + written.length), written);
};

const insertBytes: Mutation = (input, { random }) => {
  const at = random.below(input.length + 1);
  const bytes = Buffer.from(Array.from({ length: 1 + random.below(6) }, () => random.below(256)));
  return replaced(input, at, at, bytes);
};

const splice: Mutation = (input, { random, corpus }) => {
  const other = random.pickFrom(corpus) ?? none;
  const [start, end] = somePart(other, random, other.length);
  const [from, to] = somePart(input, random, input.length);
  return replaced(input, from, to, other.subarray(start, end));
};

/** A length field: a big-endian number of one, two or four bytes, a little changed or extreme. */
const lengthField: Mutation = (input, { random }) => {
  const width = random.pick([1, 2, 4]);
  if (input.length < width) return input;
  const at = random.below(input.length - width + 1);
  const changed = Buffer.from(input);
  const max = 256 ** width - 1;
  const now = changed.readUIntBE(at, width);
  const next = random.pick([now + 1, now - 1, 0, max, input.length - at - width, now + random.below(16)]);
  changed.writeUIntBE(Math.max(0, Math.min(max, next)), at, width);
  return changed;
};

/** The same part a great many times: what takes more than linear time shows. */
const swell: Mutation = (input, { random, inputBytesMax }) => {
  const [start, end] = somePart(input, random, 40);
  const part = input.subarray(start, end);
  if (part.length === 0) return input;
  const times = Math.floor((inputBytesMax - input.length) / part.length);
  return replaced(input, end, end, Buffer.concat(Array<Buffer>(Math.max(0, times)).fill(part)));
};

const lineEnds = ['\n', '\r\n', '\r', '\n\n', '\r\n\r\n', '\r\r'] as const;

/** A line ends another way, is doubled, left out, or given its place by another. */
const lines: Mutation = (input, { random }) => {
  const all = input.toString('latin1').split('\n');
  const at = random.below(all.length);
  const line = all[at] ?? '';
  switch (random.below(6)) {
    case 0:
      return Buffer.from(all.join('\n').replaceAll('\n', random.pick(lineEnds)), 'latin1');
    case 1:
      all.splice(at, 0, line);
      break;
    case 2:
      all.splice(at, 1);
      break;
    case 3:
      all.splice(at, 1, ...all.splice(random.below(all.length), 1), line);
      break;
    case 4:
      all.splice(at, 1, `${line}\r`);
      break;
    default: {
      // One event's data on two lines, which readers join by a line feed.
      const half = random.below(line.length + 1);
      all.splice(at, 1, line.slice(0, half), `data:${random.pick(['', ' ', '  '])}${line.slice(half)}`);
    }
  }
  return Buffer.from(all.join('\n'), 'latin1');
};

const fields = [
  'data: ',
  'data:',
  'data',
  ':',
  'event: ',
  'event: error\n',
  'id: 1\n',
  'retry: 1\n',
  '\uFEFF',
];

const eventField: Mutation = (input, { random }) => {
  const starts = [0];
  for (let at = input.indexOf(0x0a); at !== -1; at = input.indexOf(0x0a, at + 1)) starts.push(at + 1);
  const at = random.pickFrom(starts) ?? 0;
  return replaced(input, at, at, Buffer.from(random.pickFrom(fields) ?? ''));
};

/** Starts and ends of what may be JSON texts: the whole after its first line, and every line from its first brace. */
function jsonPlaces(input: Buffer): readonly (readonly [number, number])[] {
  const places: [number, number][] = [];
  for (let start = 0; start < input.length; ) {
    const found = input.indexOf(0x0a, start);
    const end = found === -1 ? input.length : found;
    const brace = input.indexOf(0x7b, start);
    if (brace !== -1 && brace < end) places.push([brace, end]);
    start = end + 1;
  }
  const first = input.indexOf(0x0a);
  if (first !== -1) places.push([first + 1, input.length]);
  places.push([0, input.length]);
  return places;
}

const jsonTreeBytesMax = 32_768;

const json: Mutation = (input, materials) => {
  const { random, dictionary, corpus } = materials;
  if (input.length > jsonTreeBytesMax) return input;
  const place = random.pickFrom(jsonPlaces(input));
  if (place === undefined) return input;
  const other = random.pickFrom(corpus) ?? none;
  const donor = random.pickFrom(jsonPlaces(other)) ?? [0, 0];
  const changed = mutateJson(
    input.toString('utf8', ...place),
    other.toString('utf8', ...donor),
    random,
    dictionary,
  );
  return changed === null ? setByte(input, materials) : replaced(input, ...place, Buffer.from(changed));
};

/** A frame of Amazon's event stream whose payload is changed and whose checksums hold again. */
const frame: Mutation = (input, materials) => {
  const { random } = materials;
  const body = input.indexOf(0x0a) + 1;
  const frames: [number, number][] = [];
  for (let at = body; at + 16 <= input.length; ) {
    const end = at + input.readUInt32BE(at);
    if (end < at + 16 || end > input.length || input.readUInt32BE(at + 4) > end - at - 16) break;
    frames.push([at, end]);
    at = end;
  }
  const chosen = random.pickFrom(frames);
  if (chosen === undefined) return json(input, materials);
  const [start, end] = chosen;
  const raw = input.subarray(start, end);
  if (random.oneIn(8)) return replaced(input, start, end, none);
  if (random.oneIn(8)) return replaced(input, start, start, raw);
  const payload = raw.subarray(12 + raw.readUInt32BE(4), raw.length - 4);
  const mutated = random.oneIn(4) ? setByte(payload, materials) : json(payload, materials);
  return replaced(input, start, end, withPayload(raw, mutated));
};

const mutations: readonly (readonly [times: number, mutation: Mutation])[] = [
  [4, setByte],
  [4, cutOut],
  [3, repeat],
  [6, token],
  [2, insertBytes],
  [3, splice],
  [2, lengthField],
  [4, lines],
  [3, eventField],
  [16, json],
  [6, frame],
];
const drawn = mutations.flatMap(([times, mutation]) => Array<Mutation>(times).fill(mutation));
const stackedMax = 4;
/** A swollen input takes as long as hundreds of others. */
const swellOneIn = 1_000;

/** The input with one to four changes; never longer than `inputBytesMax`. */
export function mutate(input: Buffer, materials: Materials): Buffer {
  const { random, inputBytesMax } = materials;
  let changed = input;
  for (let left = 1 + random.below(stackedMax); left > 0; left -= 1)
    changed = (random.pickFrom(drawn) ?? setByte)(changed, materials);
  if (random.oneIn(swellOneIn)) changed = swell(changed, materials);
  return changed.subarray(0, inputBytesMax);
}
