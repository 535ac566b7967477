/**
 * The witness's own port, for peers: `POST /add-checkpoint` and `GET /<origin hash>/checkpoint`, c2sp.org/tlog-witness.
 * It needs no token: only what a configured ledger signed changes anything. Everything it takes is bounded.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from '../core/node-http.ts';
import type { Witness } from './witness.ts';
import { addCheckpointBytesMax } from './witness-request.ts';

export interface WitnessListener {
  readonly url: string;
  close(): Promise<void>;
}

export interface WitnessListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly witness: Witness;
  readonly onAnswer: (status: number) => void;
  readonly onError: (what: string, error: unknown) => void;
}

const bounds = { connectionsMax: 128, requestMsMax: 10_000, headerBytesMax: 8 * 1024, idleMsMax: 65_000 };

/** Listens; rejects when the address is not to be had. */
export async function listenWitness(options: WitnessListenerOptions): Promise<WitnessListener> {
  const { witness, onAnswer, onError } = options;
  const server = createServer(
    {
      requestTimeout: bounds.requestMsMax,
      headersTimeout: bounds.requestMsMax,
      keepAliveTimeout: bounds.idleMsMax,
      maxHeaderSize: bounds.headerBytesMax,
    },
    (req, res) => {
      res.on('finish', () => onAnswer(res.statusCode));
      answer(req, res, witness).catch((error: unknown) => {
        onError('witness: a checkpoint was not remembered', error);
        end(res, 503, 'text/plain; charset=utf-8', 'The checkpoint could not be remembered.\n');
      });
    },
  );
  server.maxConnections = bounds.connectionsMax;
  const { promise, resolve, reject } = Promise.withResolvers<AddressInfo>();
  server.once('error', reject);
  server.listen(options.port, options.host, () => {
    const address = server.address();
    if (typeof address === 'object' && address !== null) resolve(address);
  });
  const { address, family, port } = await promise;
  server.off('error', reject);
  server.on('error', (error) => onError('witness: its port failed', error));
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    close: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeIdleConnections();
      const forced = setTimeout(() => server.closeAllConnections(), bounds.requestMsMax);
      await closed.promise;
      clearTimeout(forced);
    },
  };
}

async function answer(req: IncomingMessage, res: ServerResponse, witness: Witness): Promise<void> {
  const [pathname = ''] = (req.url ?? '').split('?', 1);
  if (pathname === '/add-checkpoint') {
    if (req.method !== 'POST') return notAllowed(res, 'POST');
    const body = await readBody(req);
    if (body === 'broken off') return;
    if (body === null) return end(res, 413, 'text/plain; charset=utf-8', 'The body is too long.\n');
    const given = await witness.addCheckpoint(body);
    return end(res, given.status, given.type, given.body);
  }
  const originHash = /^\/([0-9a-f]{64})\/checkpoint$/.exec(pathname)?.[1];
  const latest = originHash === undefined ? null : witness.latest(originHash);
  if (originHash !== undefined && req.method !== 'GET') return notAllowed(res, 'GET');
  if (latest === null) return end(res, 404, 'text/plain; charset=utf-8', 'There is no such thing here.\n');
  end(res, 200, 'text/plain; charset=utf-8', latest);
}

/** Null when it is longer than any checkpoint with its proof. */
async function readBody(req: IncomingMessage): Promise<Buffer | 'broken off' | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of req) {
      if (!Buffer.isBuffer(chunk)) continue;
      length += chunk.length;
      if (length > addCheckpointBytesMax) return null;
      chunks.push(chunk);
    }
  } catch (error) {
    // Whoever leaves before the end is nobody's failure, and must not fill the log: anybody can do it.
    if (!req.complete) return 'broken off';
    throw error;
  }
  return Buffer.concat(chunks);
}

function notAllowed(res: ServerResponse, allow: string): void {
  res.setHeader('allow', allow);
  end(res, 405, 'text/plain; charset=utf-8', 'Not with that method.\n');
}

function end(res: ServerResponse, status: number, type: string, body: string | Buffer): void {
  if (res.headersSent || res.destroyed) return;
  // What is left of a body that was too long is not read.
  if (status === 413) res.setHeader('connection', 'close');
  res.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  res.end(body);
}
