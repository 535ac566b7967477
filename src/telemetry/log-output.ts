/**
 * Standard error, written so that whoever reads it, or does not, stops nothing else: a log driver that stalls and a
 * terminal that is paused would otherwise hold up every call at the next line.
 */
import { constants, fstatSync, openSync } from 'node:fs';
import { destination } from 'pino';

const heldBackBytesMax = 1024 * 1024;
const retryAfterMs = 100;
const stderr = 2;

/**
 * Takes lines, and never waits: what its reader does not take is held back, up to 1 MiB, and lines beyond that are lost.
 * `onLost` hears how many once the reader goes on.
 */
export function createLogOutput(onLost: (lines: number) => void): { write(line: string): void } {
  const output = destination({
    fd: openWithoutWaiting(),
    sync: true,
    maxLength: heldBackBytesMax,
    retryEAGAIN: () => false,
  });
  let lost = 0;
  let isRetrying = false;
  output.on('drop', () => {
    lost += 1;
    if (lost === 1) output.once('drain', tellLost);
  });
  // A log that cannot be written (its disk is full, its reader gone) is no reason to stop sealing.
  output.on('error', () => {
    if (isRetrying) return;
    isRetrying = true;
    setTimeout(retry, retryAfterMs).unref();
  });

  function retry(): void {
    isRetrying = false;
    output.write('');
  }

  function tellLost(): void {
    const lines = lost;
    lost = 0;
    onLost(lines);
  }

  return { write: (line) => output.write(line) };
}

/**
 * Whether a write waits belongs to an open file, which other processes share: so this one is opened once more. A file
 * would begin at its start then, and never waits; a socket, such as systemd's, cannot be opened, and does not wait once
 * Node has its stream.
 */
function openWithoutWaiting(): number {
  const kind = fstatSync(stderr);
  if (!kind.isFIFO() && !kind.isCharacterDevice()) return process.stderr.fd;
  try {
    return openSync('/dev/stderr', constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    // Another user's terminal, or a system without that path.
    return process.stderr.fd;
  }
}
