/** Clients that go through the forward proxy: bytes over CONNECT and TLS, and whole processes that know only the environment. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { atEnd } from '../support/endings.ts';
import { connectRaw, type ParsedAnswer, parseAnswer } from '../support/raw-client.ts';
import { type Settings, startTestSidecar, type TestSidecar } from '../support/sidecar.ts';

export interface Behind {
  readonly sidecar: TestSidecar;
  readonly forwardUrl: string;
  /** `host:port` for redirected connections. */
  readonly redirectedTo: string;
  /** What workloads trust: a file, and its text. */
  readonly caFile: string;
  readonly ca: string;
}

/** A sidecar with both ways in, on free ports. */
export async function startBehind(settings: Settings): Promise<Behind> {
  const doors = { forward: { listen: '127.0.0.1:0' }, transparent: { listen: '127.0.0.1:0' } };
  const sidecar = await startTestSidecar({ ...settings, proxy: { ...doors, ...settings.proxy } });
  const { forwardUrl, transparentAddress } = sidecar.sidecar.waysIn;
  const caFile = join(sidecar.place.dataDir, 'ca.pem');
  return {
    sidecar,
    forwardUrl: forwardUrl ?? '',
    redirectedTo: transparentAddress ?? '',
    caFile,
    ca: readFileSync(caFile, 'utf8'),
  };
}

/** What the proxy answers to CONNECT; the connection is closed. */
export async function connectAnswer(
  forwardUrl: string,
  target: string,
  headers: readonly string[] = [],
): Promise<ParsedAnswer> {
  const client = await connectRaw(forwardUrl);
  client.send([`CONNECT ${target} HTTP/1.1`, `Host: ${target}`, ...headers, '', ''].join('\r\n'));
  await client.until('\r\n\r\n');
  const answer = parseAnswer(client.received());
  client.destroy();
  if (answer === null) throw new Error(`no whole answer: ${client.text()}`);
  return answer;
}

/** A TLS connection to `host:443` through the proxy. Rejects with the client's own error. */
export async function openThrough(
  forwardUrl: string,
  host: string,
  options: ConnectionOptions,
  port = 443,
): Promise<TLSSocket> {
  const { hostname, port: proxyPort } = new URL(forwardUrl);
  const socket = new Socket();
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.connect(Number(proxyPort), hostname, resolve);
  });
  const answered = new Promise<string>((resolve) => socket.once('data', (bytes) => resolve(String(bytes))));
  socket.write(`CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`);
  const answer = await answered;
  if (!answer.startsWith('HTTP/1.1 200 ')) throw new Error(answer);
  return handshake(socket, { servername: host, ...options });
}

/** Shakes hands over an open connection; a connection that is cut is an error of its own. */
export function handshake(socket: Socket, options: ConnectionOptions): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const secure = connectTls({ socket, ...options });
  secure.once('secureConnect', () => resolve(secure));
  secure.on('error', reject);
  secure.once('close', () => reject(new Error('cut')));
  atEnd(() => {
    secure.destroy();
  });
  return promise;
}

/** One request over a connection, as bytes. */
export function askOver(socket: TLSSocket, request: string): Promise<ParsedAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<ParsedAnswer>();
  let bytes = Buffer.alloc(0);
  const look = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk]);
    const answer = parseAnswer(bytes);
    if (answer === null) return;
    socket.off('data', look);
    resolve(answer);
  };
  socket.on('data', look);
  socket.once('close', () => reject(new Error(`closed after ${bytes.toString('latin1')}`)));
  socket.write(request);
  return promise;
}

export interface Ran {
  readonly code: number | null;
  readonly out: string;
}

/** Runs a program to its end; everything it said. */
export function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ran> {
  const { promise, resolve } = Promise.withResolvers<Ran>();
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => {
      out += bytes.toString('utf8');
    });
  }
  child.once('close', (code) => resolve({ code, out }));
  atEnd(() => {
    child.kill('SIGKILL');
  });
  return promise;
}

/** Whether a program is on this machine. */
export const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;
