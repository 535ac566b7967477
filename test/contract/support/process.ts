/** The command as people run it: a process of its own. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { eventually } from './sidecar.ts';

/** The program, to be run with this process's own node. */
export const mainFile = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

/** What halves the start of a process, and where the place is set that test runs share. */
const compileCache = process.env['NODE_COMPILE_CACHE'] ?? '';

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly proxyUrl: string;
  readonly controlUrl: string;
  readonly out: () => string;
  readonly err: () => string;
  /** Resolves with the exit code. */
  readonly exited: Promise<number | null>;
}

export type Env = Readonly<Record<string, string>>;

/** Runs one command to its end. */
export async function run(args: readonly string[], env: Env = {}, cwd?: string): Promise<Ran> {
  const { child, out, err, exited } = start(args, env, cwd);
  child.stdin.end();
  const code = await exited;
  return { code, out: out(), err: err() };
}

/** Starts `run` and waits for its two lines. */
export async function runSidecar(configFile: string, env: Env = {}): Promise<Running> {
  const started = start(['run', '--config', configFile], env);
  const urlOf = (name: string) =>
    eventually(async () => {
      if (started.child.exitCode !== null) throw new Error(`it ended: ${started.err()}`);
      return new RegExp(`^${name} listening on (\\S+)$`, 'm').exec(started.out())?.[1];
    });
  return { ...started, proxyUrl: await urlOf('proxy'), controlUrl: await urlOf('control') };
}

export function start(args: readonly string[], env: Env = {}, cwd?: string) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', mainFile, ...args], {
    env: { PATH: process.env['PATH'] ?? '', NODE_COMPILE_CACHE: compileCache, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const exited = once(child, 'close').then(() => child.exitCode);
  return { child, out: () => out, err: () => err, exited };
}
