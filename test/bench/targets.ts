/** The contestants: the upstream direct, the sidecar, a bare http-proxy, and nginx and Portkey's gateway where they are installed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Target } from './load.ts';
import { type Started, start, startOn, startRun } from './processes.ts';

export interface Contestant {
  readonly name: string;
  readonly target: Target;
  /** Null for the upstream itself: its CPU is not a proxy's. */
  readonly process: Started | null;
}

const here = fileURLToPath(new URL('./', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));
const path = '/v1/chat/completions';
const portkeyVersion = '1.15.2';

/** Starts everything that can be had, or `only` some; `directory` is for their files and what they complain of. */
export async function startContestants(
  upstream: Started,
  directory: string,
  only: ReadonlySet<string>,
  log: (text: string) => void,
): Promise<Contestant[]> {
  const plain = (url: string): Target => ({ url, path, headers: {} });
  const contestants: Contestant[] = [{ name: 'direct', target: plain(upstream.url), process: null }];
  const add = (name: string, process: Started, target: Target = plain(process.url)): void => {
    contestants.push({ name, process, target });
  };
  const logTo = openSync(join(directory, 'contestants.log'), 'a');
  const wanted = (name: string): boolean => only.size === 0 || only.has(name);
  if (wanted('holdpoint')) add('holdpoint', await startSidecar(upstream.url, directory, logTo));
  if (wanted('http-proxy'))
    add('http-proxy', await start(process.execPath, [join(here, 'bare-proxy.ts'), upstream.url], logTo));
  const nginx = wanted('nginx') ? await startNginx(upstream.url, directory, logTo, log) : null;
  if (nginx !== null) add('nginx', nginx);
  const portkey = wanted('portkey') ? await startPortkey(logTo, log) : null;
  if (portkey !== null) {
    const headers = { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${upstream.url}/v1` };
    add('portkey', portkey, { url: portkey.url, path, headers });
  }
  return contestants;
}

/** Strict durability, recording, encryption, the default policy: what a newcomer gets. */
export function startSidecar(upstreamUrl: string, directory: string, logTo: number): Promise<Started> {
  const config = join(directory, 'holdpoint.yaml');
  const settings = {
    proxy: { listen: '127.0.0.1:0' },
    control: { listen: '127.0.0.1:0' },
    data: { dir: join(directory, 'data') },
    upstreams: { openai: { url: upstreamUrl, protocol: 'openai', mount: '/' } },
    policy: { file: join(root, 'config/policy.yaml') },
    log: { level: 'warn' },
  };
  writeFileSync(config, JSON.stringify(settings));
  return startRun(config, logTo);
}

async function startNginx(
  upstreamUrl: string,
  directory: string,
  logTo: number,
  log: (text: string) => void,
): Promise<Started | null> {
  const nginx = ['/usr/sbin/nginx', '/usr/bin/nginx'].find((file) => existsSync(file));
  if (nginx === undefined) {
    log('nginx is not installed (Debian package nginx-light): left out');
    return null;
  }
  const port = await freePort();
  const file = join(directory, 'nginx.conf');
  writeFileSync(file, nginxConfig(port, upstreamUrl, directory));
  return startOn(
    `http://127.0.0.1:${port}`,
    nginx,
    ['-c', file, '-e', join(directory, 'nginx.err'), '-g', 'daemon off;'],
    logTo,
  );
}

function nginxConfig(port: number, upstreamUrl: string, directory: string): string {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${directory}/${kind};`)
    .join(' ');
  return `worker_processes 1; pid ${directory}/nginx.pid; events { worker_connections 1024; }
http { access_log off; ${temp}
  upstream provider { server ${new URL(upstreamUrl).host}; keepalive 64; }
  server { listen 127.0.0.1:${port}; keepalive_requests 10000000;
    location / { proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; } } }`;
}

/** Installed on demand into a temporary place, never a dependency. */
async function startPortkey(logTo: number, log: (text: string) => void): Promise<Started | null> {
  const place = join(tmpdir(), `holdpoint-bench-portkey-${portkeyVersion}`);
  const entry = join(place, 'node_modules/@portkey-ai/gateway/build/start-server.js');
  if (!existsSync(entry)) {
    mkdirSync(place, { recursive: true });
    const install = spawnSync(
      'npm',
      [
        'install',
        '--prefix',
        place,
        '--no-audit',
        '--no-fund',
        '--ignore-scripts',
        `@portkey-ai/gateway@${portkeyVersion}`,
      ],
      { encoding: 'utf8' },
    );
    if (install.status !== 0 || !existsSync(entry)) {
      log('@portkey-ai/gateway cannot be installed here: left out');
      return null;
    }
  }
  const port = await freePort();
  return startOn(
    `http://127.0.0.1:${port}`,
    process.execPath,
    [entry, `--port=${port}`, '--headless'],
    logTo,
  );
}

function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.once('error', reject);
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    server.close(() =>
      typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port')),
    );
  });
  return promise;
}

/** What machine the figures are from. */
export function machine(): string {
  const model =
    /model name\s*:\s*(.*)/.exec(execFileSync('cat', ['/proc/cpuinfo'], { encoding: 'utf8' }))?.[1] ??
    'unknown CPU';
  return `${model}, ${execFileSync('nproc', { encoding: 'utf8' }).trim()} cores, Node ${process.version}`;
}
