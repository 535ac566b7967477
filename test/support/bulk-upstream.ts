/** An upstream for bodies larger than memory: counts and hashes what it gets, and gives back as much as it is asked for. */
import { createHash } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import { atEnd } from './endings.ts';

export interface BulkUpstream {
  readonly url: string;
  /** What the last upload was. */
  readonly uploaded: () => { readonly bytes: number; readonly sha256: string; readonly length: string };
  /** Bytes of bulk answers that were written so far. */
  readonly sentBytes: () => number;
}

const pieceBytes = 64 * 1024;

/** The piece at `index` of any bulk answer. */
function piece(index: number): Buffer {
  return Buffer.alloc(pieceBytes, `${index}-`);
}

/** SHA-256 of the bulk answer of so many pieces. */
export function bulkHash(pieces: number): string {
  const hash = createHash('sha256');
  for (let i = 0; i < pieces; i++) hash.update(piece(i));
  return hash.digest('hex');
}

/** Takes any upload; `GET …?pieces=N` answers N pieces of 64 KiB, with a length where `&length` is asked for. */
export async function startBulkUpstream(): Promise<BulkUpstream> {
  let sentBytes = 0;
  let uploaded = { bytes: 0, sha256: '', length: '' };
  const server = createServer((req, res) => {
    const url = new URL(req.url ?? '/', 'http://upstream');
    const hash = createHash('sha256');
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      hash.update(chunk);
    });
    req.on('end', () => {
      if (req.method !== 'GET') {
        uploaded = { bytes, sha256: hash.digest('hex'), length: req.headers['content-length'] ?? '' };
        res.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"file-1"}');
        return;
      }
      const pieces = Number(url.searchParams.get('pieces'));
      res.writeHead(200, {
        'content-type': 'application/octet-stream',
        ...(url.searchParams.has('length') ? { 'content-length': pieces * pieceBytes } : {}),
      });
      writePieces(res, pieces, 0, (bytes) => {
        sentBytes += bytes;
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, uploaded: () => uploaded, sentBytes: () => sentBytes };
}

function writePieces(
  res: ServerResponse,
  pieces: number,
  from: number,
  onSent: (bytes: number) => void,
): void {
  for (let i = from; i < pieces; i++) {
    onSent(pieceBytes);
    if (!res.write(piece(i))) {
      res.once('drain', () => writePieces(res, pieces, i + 1, onSent));
      return;
    }
  }
  res.end();
}
