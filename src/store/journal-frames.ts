/** Reading the journal back from front to back, as a start and whoever looks on do. FORMAT.md, "Journal". */
import { open } from 'node:fs/promises';
import { refusalOf } from '../core/errors.ts';
import { type Frame, readFrames, streamHeader } from '../ledger/frame.ts';
import { readFlags } from './disk-work.ts';
import { frameBehind } from './frame-behind.ts';
import { damaged, type Place, segmentFile, segmentsIn } from './journal.ts';
import { notReadable } from './kept-file.ts';

const readBytes = 1024 * 1024;

export interface FoundFrame extends Pick<Frame, 'records'> {
  readonly place: Place;
  readonly end: Place;
}

/**
 * The whole frames from a place on, null for the first. Ends at the first that is not whole: behind the last there may be
 * room, or a write that was cut off. Throws `ledger_damaged` where more follows, in a later segment or behind it: no crash leaves that.
 */
export async function* framesFrom(dir: string, from: Place | null): AsyncGenerator<FoundFrame> {
  const segments = (await segmentsIn(dir)).filter((segment) => segment >= (from?.segment ?? 0));
  const last = segments.at(-1);
  for (const segment of segments) {
    const skipped = segment === from?.segment ? from.offset - streamHeader.length : 0;
    const bytes = segmentBytes(segmentFile(dir, segment), skipped);
    try {
      for await (const frame of readFrames(bytes)) {
        if (frame.kind === 'defect') {
          if (segment === last && frame.reason === 'zeros') return;
          const [file, at] = [segmentFile(dir, segment), frame.at + skipped];
          const behind = segment === last ? await frameBehind(file, at) : null;
          if (segment === last && behind === null) return;
          const more = behind === null ? 'more follows' : `at byte ${behind} there is one`;
          throw damaged(file, `at byte ${at} it has no whole frame (${frame.reason}), and ${more}`);
        }
        yield {
          records: frame.records,
          place: { segment, offset: frame.at + skipped },
          end: { segment, offset: frame.end + skipped },
        };
      }
    } finally {
      // Whoever stops early leaves its file open otherwise.
      await bytes.return(undefined);
    }
  }
}

/** A segment as a stream of its own: its header, then its bytes from where reading goes on. */
async function* segmentBytes(file: string, skippedBytes: number): AsyncGenerator<Buffer> {
  const handle = await open(file, readFlags).catch((error: unknown) => {
    throw unreadable(file, error);
  });
  try {
    let position = 0;
    if (skippedBytes > 0) {
      yield streamHeader;
      position = streamHeader.length + skippedBytes;
    }
    for (;;) {
      const { bytesRead, buffer } = await handle
        .read(Buffer.allocUnsafe(readBytes), 0, readBytes, position)
        .catch((error: unknown) => {
          throw unreadable(file, error);
        });
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** What a disk says that has lost it, or that has something else there. */
const lostCodes: readonly unknown[] = ['EIO', 'EISDIR', 'ELOOP', 'ENOENT', 'ENXIO', 'ESPIPE'];

/** Damage like any other, so that what comes before it is read; what is no matter of the segment stays as it is. */
function unreadable(file: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EACCES') return notReadable(file, error);
  return lostCodes.includes(code) ? damaged(file, `it cannot be read, ${refusalOf(error)}`) : error;
}
