/**
 * A part's plaintext as text to read: an HTTP message's head, and its body where that is text. Content codings that the
 * browser can undo are undone, up to a bound. Nothing is ever interpreted as markup.
 */
import { laidOut } from '../console/words/json-tree.ts';

export interface BodyText {
  /** Start line and header lines; '' where the part is no message. */
  readonly head: string;
  readonly body: string;
  /** What was left out or could not be shown; '' when nothing. */
  readonly remark: string;
}

export const shownCharsMax = 200_000;
const inflatedBytesMax = 8_000_000;

export async function bodyText(bytes: Uint8Array<ArrayBuffer>): Promise<BodyText> {
  const end = endOfHead(bytes);
  if (end < 0) return { head: '', ...textOf(bytes) };
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, end)).replaceAll('\r\n', '\n');
  const coding = /^content-encoding: *([a-z]+) *$/im.exec(head)?.[1]?.toLowerCase();
  const body = bytes.slice(end + 4);
  if (coding === undefined || coding === 'identity') return { head, ...textOf(body) };
  if (coding !== 'gzip' && coding !== 'deflate')
    return { head, body: '', remark: `The body is compressed (${coding}); save it to read it.` };
  const inflated = await inflate(body, coding);
  return inflated === null
    ? { head, body: '', remark: `The body says it is compressed (${coding}) and cannot be unpacked.` }
    : { head, ...textOf(inflated) };
}

/** Where the blank line of an HTTP message begins; -1 for what does not begin as one. */
function endOfHead(bytes: Uint8Array): number {
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, 65_536));
  return /^([A-Z]+ \S+ HTTP\/|HTTP\/)/.test(start) ? start.indexOf('\r\n\r\n') : -1;
}

function textOf(bytes: Uint8Array): Omit<BodyText, 'head'> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // Raised for one reason: the bytes are not UTF-8.
    return { body: '', remark: 'The body is not text; save it to read it.' };
  }
  if (text.length > shownCharsMax)
    return {
      body: text.slice(0, shownCharsMax),
      remark: `The first ${shownCharsMax} characters are shown; save it to read the rest.`,
    };
  return { body: laidOut(text), remark: '' };
}

async function inflate(
  bytes: Uint8Array<ArrayBuffer>,
  coding: 'gzip' | 'deflate',
): Promise<Uint8Array | null> {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(coding)).getReader();
  const pieces: Uint8Array[] = [];
  let held = 0;
  try {
    while (held < inflatedBytesMax) {
      const { done, value } = await reader.read();
      if (done) break;
      pieces.push(value);
      held += value.length;
    }
  } catch {
    // A TypeError: the bytes are not of this coding, which is what null says.
    return null;
  }
  await reader.cancel();
  const whole = new Uint8Array(held);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
