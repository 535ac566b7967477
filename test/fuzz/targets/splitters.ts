/** What cuts streams into events, lines, elements and frames: every byte kept, the outcome the same however cut. */
import { isDeepStrictEqual } from 'node:util';
import { createFrameSplitter } from '../../../src/provider/wire/aws-eventstream.ts';
import { createArraySplitter } from '../../../src/provider/wire/json-array.ts';
import { createNdjsonSplitter } from '../../../src/provider/wire/ndjson.ts';
import { createSseSplitter } from '../../../src/provider/wire/sse.ts';
import { transcripts } from '../../support/transcripts.ts';
import { must, type Target } from '../target.ts';
import { piecesOf, readMessage, writeMessage } from './message.ts';

interface Piece {
  readonly raw: Buffer;
  readonly defect: string;
}

interface Splitter {
  push(chunk: Buffer): readonly Piece[];
  finish(): { readonly rest: Buffer };
}

const splitters = {
  sse: createSseSplitter,
  ndjson: createNdjsonSplitter,
  'json-array': createArraySplitter,
  'aws-eventstream': createFrameSplitter,
} satisfies Readonly<Record<string, (bytesMax?: number) => Splitter>>;

/** Small, so that what exceeds it is often met. */
const boundBytes = 300;

function split(splitter: Splitter, pieces: readonly Buffer[]) {
  const events = pieces.flatMap((piece) => splitter.push(piece));
  const end = splitter.finish();
  return { events, end, bytes: Buffer.concat([...events.map(({ raw }) => raw), end.rest]) };
}

function splitterTarget(form: keyof typeof splitters): Target {
  const open: (bytesMax?: number) => Splitter = splitters[form];
  return {
    name: `splitters-${form}`,
    *seeds() {
      for (const { form: of, bytes, contentType } of transcripts())
        if (of === form)
          yield writeMessage({ method: 'POST', path: '/', status: 200, contentType, body: bytes });
    },
    inputBytesMax: 65_536,
    usPerByteMax: 10,
    run(input) {
      const message = readMessage(input);
      const pieces = piecesOf(message);
      const whole = split(open(), [message.body]);
      const cut = split(open(), pieces);
      const bounded = split(open(boundBytes), pieces);
      for (const { bytes } of [whole, cut, bounded])
        must(bytes.equals(message.body), 'bytes are lost or changed');
      const readable = whole.events.every(({ defect }) => defect === '');
      must(
        readable === cut.events.every(({ defect }) => defect === ''),
        'what can be read depends on where it is cut',
      );
      if (readable)
        must(isDeepStrictEqual(whole.events, cut.events), 'the events depend on where they are cut');
      must(
        bounded.events.every(({ raw, defect }) => defect !== '' || raw.length <= boundBytes),
        'an event beyond its bound is taken for whole',
      );
    },
  };
}

export const targets: readonly Target[] = [
  splitterTarget('sse'),
  splitterTarget('ndjson'),
  splitterTarget('json-array'),
  splitterTarget('aws-eventstream'),
];
