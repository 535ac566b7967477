/** The console's files. They carry no content; the page asks for a token and then calls the API like anybody. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { consolePage } from '../api/sidecar.ts';
import { type ConsoleFile, consoleFiles } from '../console-files.ts';
import type { Route } from '../http.ts';

/** Scripts and styles come from here only, nothing is inline, nothing is fetched from elsewhere. */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export function consoleRoutes(): Route[] {
  const { page, style, script } = consoleFiles();
  return [
    { method: 'GET', path: '/', operation: consolePage, handle: ({ req, res }) => send(req, res, page) },
    asset('/console/console.css', ({ req, res }) => sendKept(req, res, style)),
    asset('/console/console.js', async ({ req, res }) => sendKept(req, res, await script())),
  ];
}

function asset(path: string, handle: Route['handle']): Route {
  return { method: 'GET', path, operation: null, handle };
}

/** A browser keeps it, and asks each time whether it is still the same. */
function sendKept(req: IncomingMessage, res: ServerResponse, file: ConsoleFile): void {
  const tag = takesGzip(req) ? file.gzipEtag : file.etag;
  res.setHeader('cache-control', 'no-cache');
  res.setHeader('vary', 'accept-encoding');
  res.setHeader('etag', tag);
  if (isKnown(req, tag)) res.writeHead(304).end();
  else send(req, res, file);
}

function send(req: IncomingMessage, res: ServerResponse, { type, bytes, gzip }: ConsoleFile): void {
  const zipped = takesGzip(req);
  const sent = zipped ? gzip : bytes;
  res.setHeader('content-security-policy', pagePolicy);
  if (zipped) res.setHeader('content-encoding', 'gzip');
  res.writeHead(200, { 'content-type': type, 'content-length': sent.length });
  res.end(sent);
}

/** Browsers name gzip without a weight; whoever weighs codings gets the plain bytes. */
function takesGzip(req: IncomingMessage): boolean {
  return /(?:^|,)\s*gzip\s*(?:,|$)/.test(req.headers['accept-encoding']?.toString() ?? '');
}

/** RFC 9110 section 13.1.2. */
function isKnown(req: IncomingMessage, etag: string): boolean {
  const asked = req.headers['if-none-match'] ?? '';
  return asked.split(',').some((each) => each.trim().replace(/^W\//, '') === etag);
}
