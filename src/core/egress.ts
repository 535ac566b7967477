/**
 * The way out of this network where only a forward proxy leads there: connections to others that it opens (CONNECT,
 * RFC 9110 section 9.3.6). What it does not open stays closed: nothing goes around it.
 */
import { Agent, request as httpsRequest } from 'node:https';
import { isIP, Socket } from 'node:net';
import { messageOf } from './errors.ts';
import { request as httpRequest } from './node-http.ts';

export interface Egress {
  /**
   * Opens a connection to `host:port` by the proxy, with nothing sent on it yet, or rejects with an Error that says what
   * the proxy did; null where the host is reached directly.
   */
  through(host: string, port: number): (() => Promise<Socket>) | null;
  /** For a request of node:http or node:https to `url`; undefined where that is as it would be without a proxy. */
  agentFor(url: string): Agent | undefined;
}

export interface EgressOptions {
  /** `http:` or `https:`, host and port. */
  readonly proxy: URL;
  /** The whole value of Proxy-Authorization, asked for anew for each connection; null where the proxy wants none. */
  readonly authorization: (() => string) | null;
  readonly isDirect: (host: string) => boolean;
  readonly connectMsMax: number;
}

/** Where no proxy is configured. */
export const noProxy: Egress = { through: () => null, agentFor: () => undefined };

export function createEgress(options: EgressOptions): Egress {
  const through: Egress['through'] = (host, port) =>
    options.isDirect(host) ? null : async () => openTunnel(options, host, port);
  const agent = createAgent(through);
  const isProxied = (url: URL): boolean =>
    /^(https|wss):$/.test(url.protocol) && !options.isDirect(url.hostname);
  return { through, agentFor: (url) => (isProxied(new URL(url)) ? agent : undefined) };
}

/** Hands its requests the proxy's connections, with TLS to the host itself on top. */
function createAgent(through: Egress['through']): Agent {
  const agent = new Agent();
  const directly = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const open = through(options.host ?? 'localhost', Number(options.port ?? 443));
    if (open === null) return directly(options, callback);
    open()
      .then((socket) => {
        const secured = directly(Object.assign({}, options, { socket }));
        if (secured !== null && secured !== undefined) callback?.(null, secured);
      })
      // The type wants a stream beside the error, which nobody looks at.
      .catch((error: unknown) => callback?.(asError(error), new Socket()));
    return undefined;
  };
  return agent;
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(messageOf(thrown));
}

function openTunnel(
  { proxy, authorization, connectMsMax }: EgressOptions,
  host: string,
  port: number,
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const target = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  const isTls = proxy.protocol === 'https:';
  const fail = (what: string, cause?: unknown): void =>
    reject(new Error(`the egress proxy ${proxy.host} ${what}`, { cause }));
  const asking = (isTls ? httpsRequest : httpRequest)({
    host: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: proxy.port === '' ? (isTls ? 443 : 80) : Number(proxy.port),
    method: 'CONNECT',
    path: target,
    headers: { host: target, ...(authorization === null ? {} : { 'proxy-authorization': authorization() }) },
    agent: false,
    timeout: connectMsMax,
  });
  asking.once('timeout', () => asking.destroy(new Error(`said nothing for ${connectMsMax} ms`)));
  asking.once('error', (error) => fail(`cannot be used: ${messageOf(error)}`, error));
  asking.once('connect', ({ statusCode = 0 }, socket) => {
    if (statusCode < 200 || statusCode > 299 || !(socket instanceof Socket)) {
      socket.destroy();
      fail(`answered ${statusCode} to CONNECT ${target}`);
      return;
    }
    // Node takes its time limit off a socket that it hands over: a provider may think for longer than a proxy.
    resolve(socket);
  });
  asking.end();
  return promise;
}
