/** What is as long as providers, or whoever answers in their place, make it: no call waits for a parser that takes the square of it. */
import { expect, test } from 'vitest';
import { protocolOf } from '../../src/provider/index.ts';
import { type Transcript, transcripts } from '../support/transcripts.ts';
import { type Lengthened, lengthened } from './lengthened.ts';

const few = 2_000;
const many = 4 * few;
const bytesMax = 16 * 1024 * 1024;
/** What takes less says nothing of how it grows. */
const tellingMs = 30;
/** Four times as much is to be read in four times the time, and not in sixteen. */
const growthMax = 9;

/** CPU of this process: others may have the machine's. */
const cpuMs = (): number => process.cpuUsage().user / 1000;

function readingMs({ family, operation, form }: Transcript, bytes: Buffer): number {
  const protocol = protocolOf(family);
  const startMs = cpuMs();
  if (form === null) protocol.readResponse(operation, 200, bytes);
  else {
    const stream = protocol.openStream(operation, 200, form);
    for (let at = 0; at < bytes.length; at += 16_384) stream.push(bytes.subarray(at, at + 16_384));
    stream.finish();
  }
  return cpuMs() - startMs;
}

/** How much longer reading takes where there is four times as much; 0 where it takes too little to tell. */
function growth(transcript: Transcript, { of }: Lengthened): number {
  const [short, long] = [of(few), of(many)];
  if (long.length > bytesMax || readingMs(transcript, short) < tellingMs) return 0;
  // Once for what is compiled on the way.
  readingMs(transcript, long);
  const shortMs = Math.max(tellingMs, readingMs(transcript, short));
  return readingMs(transcript, long) / shortMs;
}

const cases = transcripts().map((transcript) => ({
  name: transcript.name,
  transcript,
  longer: lengthened(transcript),
}));

test.each(cases.filter(({ longer }) => longer.length > 0))(
  '$name is read in a time that grows with its length, whatever there is more of',
  ({ transcript, longer }) => {
    const tooSlow = longer
      .map((one) => ({ what: one.what, growth: growth(transcript, one) }))
      .filter((one) => one.growth > growthMax);
    expect(tooSlow).toEqual([]);
  },
  120_000,
);
