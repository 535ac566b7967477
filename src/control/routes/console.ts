/** The console's files. They carry no content; the page asks for a token and then calls the API like anybody. */

import { consolePage } from '../api/sidecar.ts';
import { consoleFiles } from '../console-files.ts';
import type { Route } from '../http.ts';

/** Scripts and styles come from here only, nothing is inline, nothing is fetched from elsewhere. */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export function consoleRoutes(): Route[] {
  return [...consoleFiles()].map(([path, file]) => ({
    method: 'GET' as const,
    path,
    operation: path === '/' ? consolePage : null,
    handle: ({ res }) => {
      res.setHeader('content-security-policy', pagePolicy);
      const bytes = file.bytes();
      res.writeHead(200, { 'content-type': file.type, 'content-length': bytes.length });
      res.end(bytes);
    },
  }));
}
