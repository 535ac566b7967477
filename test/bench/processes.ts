/** Starts the processes of the benchmark and reads what the kernel says of them. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startFlags } from '../support/start-flags.ts';

export interface Started {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const startMsMax = 20_000;
const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** What a contestant complains of goes to the file `logTo`, not between the figures. Starts a command and waits for the first `http://…` it prints, or for `ready` where it prints none. */
export async function start(
  command: string,
  args: readonly string[],
  logTo: number,
  env: Readonly<Record<string, string>> = {},
): Promise<Started> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', logTo],
    env: { ...process.env, ...env },
  });
  const url = await firstUrl(child, `${command} ${args.join(' ')}`);
  return { url, pid: child.pid ?? 0, stop: () => stop(child) };
}

const root = fileURLToPath(new URL('../../', import.meta.url));
let isBuilt = false;

/** Compiles the sidecar, once a process: from its sources Node takes 20 MB more, which are the compiler's. */
function builtMain(): string {
  if (!isBuilt)
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  isBuilt = true;
  return join(root, 'dist/main.js');
}

/** The sidecar as the image starts it. */
export function startRun(configFile: string, logTo: number): Promise<Started> {
  const env = { MALLOC_ARENA_MAX: '1' };
  return start(process.execPath, [...startFlags, builtMain(), 'run', '--config', configFile], logTo, env);
}

/** Starts a server that prints nothing, on a port that was chosen for it. */
export async function startOn(
  url: string,
  command: string,
  args: readonly string[],
  logTo: number,
): Promise<Started> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', logTo] });
  const until = Date.now() + startMsMax;
  while (Date.now() < until) {
    const answered = await fetch(url, { method: 'HEAD' }).then(
      () => true,
      () => false,
    );
    if (answered) return { url, pid: child.pid ?? 0, stop: () => stop(child) };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await stop(child);
  throw new Error(`${command} did not listen within ${startMsMax} ms`);
}

function firstUrl(child: ChildProcess, name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = '';
    const timer = setTimeout(() => reject(new Error(`${name} did not start`)), startMsMax);
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      seen += text;
      const url = /http:\/\/[\d.]+:\d+/.exec(seen)?.[0];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`${name} ended with ${code}`));
    });
  });
}

function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const killer = setTimeout(() => child.kill('SIGKILL'), 5_000);
    child.once('exit', () => {
      clearTimeout(killer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

/** CPU time used so far by a process and its children that run, all threads, in microseconds. */
export function cpuUs(pid: number): number {
  return processTree(pid).reduce((sum, member) => sum + ownCpuUs(member), 0);
}

function ownCpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1e6;
}

/** Resident memory of the process and its children, in MB. */
export function rssMb(pid: number): number {
  return processTree(pid).reduce((sum, member) => {
    const kb = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${member}/status`, 'latin1'))?.[1];
    return sum + Number(kb ?? 0) / 1024;
  }, 0);
}

function processTree(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  const pids = children === '' ? [] : children.split(' ').map(Number);
  return [pid, ...pids.flatMap(processTree)];
}
