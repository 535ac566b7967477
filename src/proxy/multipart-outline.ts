/**
 * A multipart body with only the beginnings of its files (RFC 7578, RFC 2046 section 5.1.1), made while the
 * body passes: headers and fields stay byte for byte, so that rules can read what a large upload is. Pure.
 */

export interface Outline {
  push(chunk: Buffer): void;
  /** What is left of the body; null when it exceeds the bound or is not multipart. */
  finish(): Buffer | null;
}

const boundaryCharactersMax = 70;
const partHeaderBytesMax = 16 * 1024;
/** Whatever a provider might take for a field, though it bears a file's name, is shorter. */
const fileBytesKept = 64 * 1024;
const blankLine = Buffer.from('\r\n\r\n');

/** The boundary that a content type names; null when it names none that RFC 2046 allows. */
export function boundaryOf(contentType: string): string | null {
  if (!/^\s*multipart\/form-data\s*;/i.test(contentType)) return null;
  const match = /;\s*boundary\s*=\s*(?:"([^"]*)"|([^;\s]+))/i.exec(contentType);
  const boundary = match?.[1] ?? match?.[2] ?? '';
  return boundary !== '' && boundary.length <= boundaryCharactersMax ? boundary : null;
}

/** Opens an outline of a body with this boundary. What it keeps is at most `keptBytesMax`. */
export function openOutline(boundary: string, keptBytesMax: number): Outline {
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  // The first delimiter stands at the very start, without the line break that ends what is before it.
  let pending: Buffer = Buffer.from('\r\n');
  let state: 'content' | 'headers' = 'content';
  /** How much of the present part's content is still kept. */
  let left = Number.POSITIVE_INFINITY;
  let kept: Buffer[] = [];
  let keptBytes = 0;
  let failed = false;

  function keep(bytes: Buffer): void {
    if (bytes.length === 0 || failed) return;
    keptBytes += bytes.length;
    if (keptBytes > keptBytesMax) fail();
    else kept.push(bytes);
  }
  function fail(): void {
    failed = true;
    kept = [];
    pending = Buffer.alloc(0);
  }

  function keepContent(bytes: Buffer): void {
    // Copied: a view would keep the whole chunk alive.
    keep(Buffer.from(bytes.subarray(0, left)));
    left = Math.max(0, left - bytes.length);
  }

  /** Takes content up to the next delimiter; false when more bytes are needed to tell. */
  function content(): boolean {
    const at = pending.indexOf(delimiter);
    if (at === -1) {
      // The delimiter may have begun at the end: that much waits.
      const sure = Math.max(0, pending.length - delimiter.length + 1);
      keepContent(pending.subarray(0, sure));
      pending = pending.subarray(sure);
      return false;
    }
    keepContent(pending.subarray(0, at));
    keep(delimiter);
    pending = pending.subarray(at + delimiter.length);
    state = 'headers';
    return true;
  }

  /** Takes a part's headers; false when more bytes are needed. After the last delimiter there are none. */
  function headers(): boolean {
    if (pending.length < 2) return false;
    if (pending[0] === 0x2d && pending[1] === 0x2d) {
      state = 'content';
      left = Number.POSITIVE_INFINITY;
      return true;
    }
    const end = pending.indexOf(blankLine);
    if (end === -1) {
      if (pending.length > partHeaderBytesMax) fail();
      return false;
    }
    const head = Buffer.from(pending.subarray(0, end + blankLine.length));
    keep(head);
    const isFile = /;\s*filename\*?\s*=/i.test(head.toString('latin1'));
    left = isFile ? fileBytesKept : Number.POSITIVE_INFINITY;
    pending = pending.subarray(end + blankLine.length);
    state = 'content';
    return true;
  }

  return {
    push: (chunk) => {
      if (failed) return;
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      while (!failed && (state === 'content' ? content() : headers()));
    },
    finish: () => {
      if (failed) return null;
      if (state === 'content') keepContent(pending);
      else keep(Buffer.from(pending));
      if (failed) return null;
      // The line break that was put before the first delimiter.
      const whole = Buffer.concat(kept);
      return whole.subarray(0, 2).equals(Buffer.from('\r\n')) ? whole.subarray(2) : whole;
    },
  };
}
