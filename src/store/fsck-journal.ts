/** The journal's half of a check: its frames one after the other, and what LevelDB has of each. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { refusalOf } from '../core/errors.ts';
import { isBodiesKey, parseRecordKey } from '../ledger/block.ts';
import { frameHeaderBytes, readFrames } from '../ledger/frame.ts';
import type { RecordStore, StoredRecord } from '../ledger/store.ts';
import { frameBehind } from './frame-behind.ts';
import { type Add, type End, endOf, noFile, recordHeaderBytes } from './fsck-finding.ts';
import { type Place, segmentFile, segmentsIn } from './journal.ts';
import type { LevelCopy } from './level.ts';
import { isBefore, readReach } from './reach.ts';
import { decodeReference } from './reference.ts';

/** Every frame of every segment, and whether LevelDB has what it holds. */
export async function checkJournal(dir: string, level: LevelCopy | null, add: Add) {
  const segments = await segmentsIn(dir);
  // What LevelDB took in was whole once, and is no cut-off write.
  const taken = level === null ? null : ((await readReach(level))?.taken ?? null);
  const isTaken = (place: Place): boolean => taken !== null && isBefore(place, taken);
  let frames = 0;
  let end: End = { size: 0, root: '' };
  let isWhole = segments.length > 0;
  let frameEnd: Place = { segment: 0, offset: 0 };
  for (const [index, segment] of segments.entries()) {
    const file = segmentFile(dir, segment);
    if (segment !== index + 1) isWhole = false;
    const unread = noFile(file);
    if (unread !== null) {
      isWhole = false;
      add('damage', file, -1, unread);
      continue;
    }
    const chunks = chunksOf(file, (message) => {
      isWhole = false;
      add('damage', file, -1, message);
    });
    for await (const frame of readFrames(chunks)) {
      if (frame.kind === 'defect') {
        const isLast = segment === segments.at(-1) && !isTaken({ segment, offset: frame.at });
        if (isLast && frame.reason === 'zeros') continue;
        const isTail = isLast && (await frameBehind(file, frame.at)) === null;
        const size = (await stat(file)).size - frame.at;
        if (isTail)
          add('note', file, frame.at, `a write was cut off: ${size} bytes that the next start takes away`);
        else add('damage', file, frame.at, `no whole frame (${frame.reason}); ${size} bytes follow`);
        isWhole &&= isTail;
        continue;
      }
      frames += 1;
      frameEnd = { segment, offset: frame.end };
      const place = { segment, offset: frame.at };
      end = checkOrder(frame.at, frame.records, end, (byte, message) => {
        isWhole = false;
        add('damage', file, byte, message);
      });
      if (level !== null && isTaken(place)) await compare(file, level, place, frame.records, add);
    }
  }
  // Damage that was told of may be why.
  if (isWhole && isTaken(frameEnd)) {
    isWhole = false;
    const message = 'it ends here, and LevelDB has frames that were behind';
    add('damage', segmentFile(dir, frameEnd.segment), frameEnd.offset, message);
  }
  return { segments: segments.length, frames, isWhole, end };
}

/** @param report told of what the disk refuses, where the chunks end */
async function* chunksOf(file: string, report: (message: string) => void): AsyncGenerator<Buffer> {
  const chunks: AsyncIterable<Buffer> = createReadStream(file, { highWaterMark: 1024 * 1024 });
  try {
    yield* chunks;
  } catch (error) {
    report(`it cannot be read: ${refusalOf(error)}`);
  }
}

/** A frame's keys: known ones, ascending, blocks dense over all frames. Returns where the last block ends. */
function checkOrder(
  at: number,
  records: readonly StoredRecord[],
  from: End,
  report: (byte: number, message: string) => void,
): End {
  let end = from;
  let before: Buffer = Buffer.alloc(0);
  for (const { key, value } of records) {
    const place = parseRecordKey(key);
    if (place === null || Buffer.compare(before, key) >= 0)
      report(at, 'a key of the frame is unknown or out of order');
    before = key;
    if (place?.kind !== 'block') continue;
    if (place.seq !== end.size)
      report(at, `the journal goes on with entry ${place.seq} after ${end.size - 1}`);
    end = endOf(place.seq, value, (message) => report(at, message));
  }
  return end;
}

/** What LevelDB has of one frame that it took in. */
async function compare(
  file: string,
  level: RecordStore,
  place: Place,
  records: readonly StoredRecord[],
  add: Add,
): Promise<void> {
  let at = place.offset + frameHeaderBytes;
  for (const { key, value } of records) {
    const valueAt = at + recordHeaderBytes;
    at = valueAt + value.length;
    const found = await level.get(key);
    const seq = parseRecordKey(key)?.seq ?? -1;
    if (!isBodiesKey(key)) {
      if (found?.equals(value) !== true)
        add(
          'derived',
          file,
          valueAt,
          `LevelDB ${found === undefined ? 'lacks' : 'has another'} record of entry ${seq}`,
        );
      continue;
    }
    const reference = found === undefined ? null : decodeReference(found);
    const isHere = reference?.segment === place.segment && reference.offset === valueAt;
    if (isHere && reference.bytes === value.length) continue;
    // Zeros are what erasing leaves; a copy elsewhere is the one that counts.
    if (value.subarray(0, 4).equals(Buffer.alloc(4)) || (reference !== null && !isHere)) continue;
    add('derived', file, valueAt, `nothing refers to the bodies of block ${seq}`);
  }
}
