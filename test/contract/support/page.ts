/**
 * The console's page as a browser would speak for it, without one: a jar that keeps cookies as RFC 6265bis says, the
 * page's key, and the headers that browsers add. What an attack changes is handed in.
 */
import { randomBytes } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';

export interface PageAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  readonly json: unknown;
}

export interface PageInit {
  readonly method?: string;
  /** Null takes a header away that the page would send. */
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: string;
}

export interface ConsolePage {
  /** By name; what a thief would copy. */
  readonly cookies: Map<string, string>;
  /** As they came, attributes and all. */
  readonly setCookies: string[];
  readonly key: string;
  send(path: string, init?: PageInit): Promise<PageAnswer>;
  /** Exchanges a token. */
  signIn(token: string): Promise<PageAnswer>;
  /** Another page with the same cookies and key. */
  copy(): ConsolePage;
}

export interface PageOptions {
  readonly tls?: Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'servername'>;
  readonly cookies?: ReadonlyMap<string, string>;
  readonly key?: string;
}

export function openPage(base: string, options: PageOptions = {}): ConsolePage {
  const cookies = new Map(options.cookies);
  const setCookies: string[] = [];
  const key = options.key ?? randomBytes(32).toString('base64url');

  async function send(path: string, init: PageInit = {}): Promise<PageAnswer> {
    const method = init.method ?? 'GET';
    const jar = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const all: Record<string, string | null> = {
      'holdpoint-session-key': key,
      'sec-fetch-site': 'same-origin',
      'sec-fetch-mode': 'cors',
      ...(method === 'GET' ? {} : { origin: base }),
      ...(jar === '' ? {} : { cookie: jar }),
      ...init.headers,
    };
    const headers = Object.fromEntries(
      Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
    );
    const answer = await exchange(
      new URL(path, base),
      { method, headers, agent: false, ...options.tls },
      init.body,
    );
    for (const line of answer.headers['set-cookie'] ?? []) keep(line);
    return answer;
  }

  function keep(line: string): void {
    setCookies.push(line);
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (/; Max-Age=0/.test(line)) cookies.delete(name);
    else cookies.set(name, value);
  }

  return {
    cookies,
    setCookies,
    key,
    send,
    signIn: (token) =>
      send('/sign-in/token', { method: 'POST', headers: { authorization: `Bearer ${token}` } }),
    copy: () => openPage(base, { ...options, cookies, key }),
  };
}

async function exchange(url: URL, options: RequestOptions, body: string | undefined): Promise<PageAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const request = send(url, options, resolve).once('error', reject);
  request.end(body);
  const answer = await promise;
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(Buffer.from(chunk));
  const text = Buffer.concat(chunks).toString('utf8');
  const isJson = /json/.test(answer.headers['content-type'] ?? '') && text !== '';
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    text,
    json: isJson ? JSON.parse(text) : null,
  };
}
