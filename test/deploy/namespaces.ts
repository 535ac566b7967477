/**
 * A pod and the internet as two network namespaces of their own, joined by a cable: real users, a real packet
 * filter, real addresses, none of which this machine's own network ever sees. Needs root, iproute2 and nftables.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { atEnd } from '../support/endings.ts';

/** Where everything that is not the pod is. A public address, as closed ones are refused. */
export const internetAddress = '45.0.0.1';
const podAddress = '45.0.0.2';

export interface Ran {
  readonly code: number | null;
  readonly out: string;
}

export interface Namespace {
  /** Runs a program as a user, to its end or for so long. */
  run(uid: number, command: readonly string[], env?: Environment, timeoutMs?: number): Promise<Ran>;
  /** Starts a program as a user; ended with everything else. Resolves once its output matches. */
  start(uid: number, command: readonly string[], ready: RegExp, env?: Environment): Promise<ChildProcess>;
}

type Environment = Readonly<Record<string, string>>;

/** Why such namespaces cannot be made here; '' when they can. */
export function whyNot(): string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux';
  for (const [program, flag, source] of [
    ['ip', '-V', 'iproute2'],
    ['nft', '--version', 'nftables'],
    ['setpriv', '--version', 'util-linux'],
  ] as const) {
    if (spawnSync(program, [flag]).status !== 0) return `needs ${program} (Debian: ${source})`;
  }
  const probe = `holdpoint-probe-${process.pid}`;
  const made = spawnSync('ip', ['netns', 'add', probe], { encoding: 'utf8' });
  spawnSync('ip', ['netns', 'del', probe]);
  return made.status === 0 ? '' : `network namespaces cannot be made: ${made.stderr.trim()}`;
}

function must(program: string, ...args: readonly string[]): void {
  const done = spawnSync(program, args, { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${done.stderr}`);
}

let count = 0;

/** Makes both; `hosts` are names that lead to the internet's address. Removed at the end. */
export function makeNamespaces(hosts: readonly string[]): {
  pod: Namespace;
  internet: Namespace;
  podName: string;
} {
  count += 1;
  const [podName, internetName] = [
    `holdpoint-pod-${process.pid}-${count}`,
    `holdpoint-net-${process.pid}-${count}`,
  ];
  const [podEnd, internetEnd] = [`hpp${process.pid}${count}`, `hpn${process.pid}${count}`];
  for (const name of [podName, internetName]) {
    atEnd(() => {
      spawnSync('ip', ['netns', 'del', name]);
      rmSync(`/etc/netns/${name}`, { recursive: true, force: true });
    });
    must('ip', 'netns', 'add', name);
    must('ip', '-n', name, 'link', 'set', 'lo', 'up');
  }
  // `ip netns exec` shows this file as /etc/hosts to what it runs, and to nothing else.
  mkdirSync(`/etc/netns/${podName}`, { recursive: true });
  const lines = ['127.0.0.1 localhost', ...hosts.map((host) => `${internetAddress} ${host}`)];
  writeFileSync(`/etc/netns/${podName}/hosts`, `${lines.join('\n')}\n`);
  must(
    'ip',
    'link',
    'add',
    podEnd,
    'netns',
    podName,
    'type',
    'veth',
    'peer',
    'name',
    internetEnd,
    'netns',
    internetName,
  );
  must('ip', '-n', podName, 'addr', 'add', `${podAddress}/24`, 'dev', podEnd);
  must('ip', '-n', internetName, 'addr', 'add', `${internetAddress}/24`, 'dev', internetEnd);
  must('ip', '-n', podName, 'link', 'set', podEnd, 'up');
  must('ip', '-n', internetName, 'link', 'set', internetEnd, 'up');
  return { pod: namespace(podName), internet: namespace(internetName), podName };
}

/** Loads a packet filter's rules in a namespace. */
export function loadRules(name: string, rules: string): void {
  const done = spawnSync('ip', ['netns', 'exec', name, 'nft', '-f', '-'], { input: rules, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`nft: ${done.stderr}`);
}

function namespace(name: string): Namespace {
  const begin = (uid: number, command: readonly string[], env: Environment = {}): ChildProcess => {
    const user = ['setpriv', '--reuid', `${uid}`, '--regid', `${uid}`, '--clear-groups', '--no-new-privs'];
    const child = spawn('ip', ['netns', 'exec', name, ...user, ...command], {
      env: { PATH: process.env['PATH'] ?? '', HOME: '/tmp', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    atEnd(() => {
      child.kill('SIGKILL');
    });
    return child;
  };
  return {
    run: (uid, command, env, timeoutMs = 20_000) => {
      const child = begin(uid, command, env);
      const heard = listen(child);
      const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
      const { promise, resolve } = Promise.withResolvers<Ran>();
      child.once('close', (code) => {
        clearTimeout(timer);
        resolve({ code, out: heard() });
      });
      return promise;
    },
    start: (uid, command, ready, env) => {
      const child = begin(uid, command, env);
      const heard = listen(child);
      const { promise, resolve, reject } = Promise.withResolvers<ChildProcess>();
      child.stdout?.on('data', () => {
        if (ready.test(heard())) resolve(child);
      });
      child.once('exit', (code) => reject(new Error(`${command.join(' ')} ended with ${code}: ${heard()}`)));
      return promise;
    },
  };
}

function listen(child: ChildProcess): () => string {
  let out = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (bytes: Buffer) => {
      out += bytes.toString('utf8');
    });
  }
  return () => out;
}
