/**
 * The file in a form that lies on disk (RFC 7578): its bytes as they are read, with bounded memory. For forms whose
 * outline was found to have one file and to be written the one way that all readers agree on. Pure.
 */
import { isPlainFile } from '../provider/reading/multipart.ts';

const blankLine = Buffer.from('\r\n\r\n');
const lineBreak = Buffer.from('\r\n');
const partHeaderBytesMax = 16 * 1024;

/**
 * The content of the first part that bears a file's name. What some readers may take for its end and others not
 * comes as a line of its own, which is no line of any file: whoever reads lines finds a defect there.
 */
export async function* fileIn(pieces: AsyncIterable<Buffer>, boundary: string): AsyncGenerator<Buffer> {
  const dashed = Buffer.from(`--${boundary}`, 'latin1');
  // The first delimiter stands at the very start, without the line break that ends what is before it.
  let pending: Buffer = lineBreak;
  let state: 'before' | 'headers' | 'file' | 'after' = 'before';
  for await (const piece of pieces) {
    if (state === 'after') continue;
    pending = Buffer.concat([pending, piece]);
    for (;;) {
      if (state === 'headers') {
        const end = pending.indexOf(blankLine);
        if (end === -1) {
          if (pending.length > partHeaderBytesMax) return yield poison(dashed);
          break;
        }
        const isFile = isPlainFile(pending.subarray(lineBreak.length, end));
        pending = pending.subarray(end + blankLine.length);
        state = isFile ? 'file' : 'before';
        continue;
      }
      const at = pending.indexOf(dashed);
      if (at === -1) {
        // The delimiter may have begun at the end, and the line break before it belongs to it.
        const sure = Math.max(0, pending.length - dashed.length - lineBreak.length);
        if (state === 'file' && sure > 0) yield pending.subarray(0, sure);
        pending = pending.subarray(sure);
        break;
      }
      const ends = at >= 2 && pending.subarray(at - 2, at).equals(lineBreak);
      if (state === 'file') {
        yield pending.subarray(0, ends ? at - 2 : at);
        if (!ends) yield poison(dashed);
      }
      pending = pending.subarray(at + dashed.length);
      if (state === 'file' && ends) state = 'after';
      else if (state === 'before') state = 'headers';
      if (state === 'after') break;
    }
  }
  if (state !== 'after') yield poison(dashed);
}

function poison(dashed: Buffer): Buffer {
  return Buffer.concat([Buffer.from('\n'), dashed, Buffer.from('\n')]);
}
