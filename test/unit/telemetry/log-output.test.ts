import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../support/wait-for.ts';

const logger = fileURLToPath(new URL('../../../src/telemetry/logger.ts', import.meta.url));
const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Runs what logs `lines` of 1 KB and goes on. */
async function logging(lines: number, stderr: number | 'pipe') {
  const script = `
    import { createLogger } from ${JSON.stringify(logger)};
    const log = createLogger('info');
    for (let i = 0; i < ${lines}; i++) log.info('x'.repeat(1000), { i });
    process.stdout.write('went on');
    process.stdin.resume();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', stderr],
  });
  ends.push(() => child.kill('SIGKILL'));
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('Both are pipes.');
  const [said] = await once(stdout, 'data');
  const end = (): Promise<unknown[]> => {
    stdin.end();
    return once(child, 'exit');
  };
  return { said: String(said), end };
}

/** The same into a pipe that nobody reads before `linesUntil` is called. */
async function logsInto(lines: number) {
  const dir = await mkdtemp(join(tmpdir(), 'holdpoint-log-'));
  ends.push(() => rm(dir, { recursive: true }));
  const path = join(dir, 'log');
  execFileSync('mkfifo', [path]);
  const pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  ends.push(() => closeSync(pipe));
  // What blocks is written to as a container's log is: the flag of this end is not that of the other.
  const writing = openSync(path, constants.O_WRONLY);
  ends.push(() => closeSync(writing));
  const running = await logging(lines, writing);
  let text = '';
  const chunk = Buffer.alloc(1024 * 1024);
  function take(): void {
    try {
      text += chunk.toString('utf8', 0, readSync(pipe, chunk));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    }
  }
  /** Reads until a whole line says this; all lines so far. */
  const linesUntil = (said: string): Promise<readonly string[]> =>
    waitFor(() => {
      take();
      expect(text).toMatch(new RegExp(`${said}.*\n`));
      return text.trimEnd().split('\n');
    });
  return { ...running, linesUntil };
}

describe('a log that nobody reads', () => {
  it('holds up nothing', async () => {
    const { said, end } = await logsInto(200);
    expect(said).toBe('went on');
    expect(await end()).toEqual([0, null]);
  });

  it('holds up nothing where it is a socket', async () => {
    const { said, end } = await logging(3000, 'pipe');
    expect(said).toBe('went on');
    expect(await end()).toEqual([0, null]);
  });

  it('is there whole once somebody reads it', async () => {
    const { linesUntil } = await logsInto(500);
    const lines = await linesUntil('"i":499');
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject(
      Array.from({ length: 500 }, (_, i) => ({ i })),
    );
  });

  it('says how much was lost beyond what is held back', async () => {
    const { linesUntil } = await logsInto(3000);
    const lines = await linesUntil('lost');
    const { lines: lost, msg } = JSON.parse(lines.at(-1) ?? '');
    expect(msg).toBe('log lines were lost: nobody read them');
    expect(lost).toBe(3000 - (lines.length - 1));
    expect(lines.length).toBeGreaterThan(1000);
  });
});
