/** What is fuzzed: something that takes any bytes, and what must then be true. */
export interface Target {
  readonly name: string;
  /** Inputs to begin with. Later in the list counts less: what reaches nothing new is not kept. */
  seeds(): Iterable<Buffer>;
  /** Takes one input. Whatever it throws is a finding. */
  run(input: Buffer): void;
  /** Longer inputs are cut. */
  readonly inputBytesMax: number;
  /** How long one input may take, beyond what every input may, in microseconds for each of its bytes. */
  readonly usPerByteMax: number;
}

/** What an input makes untrue, in words that are the same for every input that makes the same untrue. */
export class Broken extends Error {
  override readonly name = 'Broken';
}

/** Throws what `tell` says unless it holds. */
export function must(holds: boolean, what: string, tell: () => string = () => ''): asserts holds {
  if (!holds) throw new Broken(`${what}${tell() === '' ? '' : `\n${tell()}`}`);
}

/** Runs what may refuse its input in one way only; null where it did. */
export function unless<T>(refuses: (error: unknown) => boolean, read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (refuses(error)) return null;
    throw error;
  }
}
