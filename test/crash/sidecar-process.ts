/**
 * The sidecar as a process of its own, on a directory of the test's. What still runs when a test is over, or is given
 * up, is ended by `endAll`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { systemRandom } from '../../src/core/clock.ts';
import { addToken } from '../../src/store/token-file.ts';
import { atEnd } from '../support/endings.ts';

const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const startMsMax = 20_000;

export interface House {
  readonly directory: string;
  readonly dataDir: string;
  readonly configFile: string;
  /** A reviewer's token. */
  readonly token: string;
  remove(): void;
}

const policyText = `version: test
rules:
  - id: transfers
    title: Transfers need a reviewer
    phase: response
    when: response.toolCalls.exists(c, c.name == "transfer_funds")
    action: hold
    severity: high
    hold: { expiresIn: 1h, approvals: 1, roles: [reviewer], notRequester: true }
    tests:
      - { name: transfer, expect: match, response: { toolCalls: [ { name: transfer_funds, arguments: {} } ] } }
      - { name: other, expect: no-match, response: { toolCalls: [ { name: read, arguments: {} } ] } }
`;

/** Makes a configuration over a fresh data directory; `dataDir` elsewhere when the test needs a special one. */
export function makeHouse(upstreamUrl: string, options: { readonly dataDir?: string } = {}): House {
  const directory = mkdtempSync(join(tmpdir(), 'holdpoint-process-'));
  const dataDir = options.dataDir ?? join(directory, 'data');
  const configFile = join(directory, 'holdpoint.yaml');
  const policyFile = join(directory, 'policy.yaml');
  writeFileSync(policyFile, policyText);
  const config = {
    proxy: { listen: '127.0.0.1:0' },
    control: { listen: '127.0.0.1:0' },
    data: { dir: dataDir },
    upstreams: { openai: { url: upstreamUrl, protocol: 'openai', mount: '/' } },
    policy: { file: policyFile },
    workload: { name: 'agent' },
    log: { level: 'error' },
  };
  writeFileSync(configFile, JSON.stringify(config));
  const tokens = join(dataDir, 'tokens.json');
  const token = addToken(tokens, { name: 'ada', role: 'reviewer' }, 0, systemRandom);
  return {
    directory,
    dataDir,
    configFile,
    token,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

export interface SidecarProcess {
  readonly proxyUrl: string;
  readonly controlUrl: string;
  /** Ends it at once, as a power cut to the process would. */
  kill(): Promise<Exit>;
  /** Asks it to end. */
  stop(): Promise<Exit>;
}

function launch(house: House): { child: ChildProcess; exited: Promise<Exit> } {
  const child = spawn(process.execPath, [mainFile, 'run', '--config', house.configFile], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] },
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-16_384);
  });
  const { promise: exited, resolve } = Promise.withResolvers<Exit>();
  // `close` comes after the pipes are drained, so that nothing said is lost.
  child.once('close', (code, signal) => resolve({ code, signal, stderr }));
  const lastResort = (): boolean => child.kill('SIGKILL');
  process.once('exit', lastResort);
  void exited.then(() => process.off('exit', lastResort));
  atEnd(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return { child, exited };
}

/** Starts it; resolves once both ports listen, rejects with what it said when it ends before. */
export async function startProcess(house: House): Promise<SidecarProcess> {
  const { child, exited } = launch(house);
  const { promise: ready, resolve } = Promise.withResolvers<{ proxyUrl: string; controlUrl: string }>();
  const urls = { proxyUrl: '', controlUrl: '' };
  if (child.stdout === null) throw new Error('the process has no output');
  // The policy's and the log's lines may stand between.
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [, name, url = ''] = /^(proxy|control) listening on (\S+)$/.exec(line) ?? [];
    if (name === 'proxy') urls.proxyUrl = url;
    if (name === 'control') urls.controlUrl = url;
    if (urls.proxyUrl !== '' && urls.controlUrl !== '') resolve(urls);
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, startMsMax);
  const early = exited.then((exit) => {
    const how = isLate ? `was not up within ${startMsMax} ms` : `ended with ${exit.code ?? exit.signal}`;
    throw new Error(`the sidecar ${how}: ${exit.stderr}`);
  });
  const found = await Promise.race([ready, early]).finally(() => clearTimeout(timer));
  early.catch(() => undefined);
  const endBy = (signal: NodeJS.Signals) => (): Promise<Exit> => {
    child.kill(signal);
    return exited;
  };
  return { ...found, kill: endBy('SIGKILL'), stop: endBy('SIGTERM') };
}

/** Starts it where it is expected to refuse; resolves with how it ended. */
export async function startRefused(house: House): Promise<Exit> {
  const { child, exited } = launch(house);
  const timer = setTimeout(() => child.kill('SIGKILL'), startMsMax);
  return exited.finally(() => clearTimeout(timer));
}
