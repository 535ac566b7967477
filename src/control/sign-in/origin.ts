/** The origin under which a browser reached the control port: what its cookies and its `Origin` are bound to. */
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

export interface Origins {
  /** Of this request. Its Host has been checked. */
  of(req: IncomingMessage): URL;
  /** The one that is told to others, such as an OpenID provider. */
  ofPublic(): string;
  /** Names by which browsers come that nobody has to configure besides. */
  readonly publicHostNames: readonly string[];
  /** The socket's own URL, once it listens. */
  bind(url: string): void;
}

/** @param publicUrl where TLS ends in front of the socket; null for the socket itself */
export function openOrigins(publicUrl: string | null): Origins {
  let own = '';
  const known = publicUrl === null ? null : new URL(publicUrl);
  return {
    of: (req) => {
      const host = req.headers.host ?? '';
      if (known !== null && host.toLowerCase() === known.host) return known;
      const scheme = req.socket instanceof TLSSocket ? 'https' : 'http';
      const text = `${scheme}://${host}`;
      return new URL(URL.canParse(text) ? text : own);
    },
    ofPublic: () => known?.origin ?? own,
    publicHostNames: known === null ? [] : [known.hostname],
    bind: (url) => {
      own = new URL(url).origin;
    },
  };
}
