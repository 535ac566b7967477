/** Bytes that are too many for memory and must be known whole before the first of them may go on. Pure types. */

/** Takes bytes in; ends in `finish` or `discard`. */
export interface SpoolWriter {
  /** Throws `body_too_large` or `overloaded` when there is no room; then `discard` is due. */
  write(chunk: Buffer): Promise<void>;
  finish(): Promise<Spool>;
  discard(): Promise<void>;
}

/** Bytes at rest, readable any number of times until `close`. */
export interface Spool {
  readonly bytes: number;
  /** SHA-256 of all of them, 64 hex. */
  readonly sha256: string;
  /** From the first byte on, in pieces. */
  read(): AsyncGenerator<Buffer>;
  /** Lets the bytes go for good. */
  close(): Promise<void>;
}

export type OpenSpool = () => Promise<SpoolWriter>;
