/**
 * The ways in besides base URLs: the forward proxy and the redirected connections, with the certificate authority
 * that both need. Part of the composition: configuration -> authority, sites -> doors.
 */
import type { Duplex } from 'node:stream';
import { type LoadedConfig, parseAddress } from './config/load.ts';
import type { Clock } from './core/clock.ts';
import { systemRandom } from './core/clock.ts';
import { HoldpointError } from './core/errors.ts';
import type { Parts } from './parts.ts';
import { listenForwardProxy } from './proxy/forward-proxy.ts';
import type { House } from './proxy/house.ts';
import { createOwnConnections } from './proxy/intercept/blind.ts';
import { entranceTo } from './proxy/intercept/entrance.ts';
import type { Door } from './proxy/intercept/listen.ts';
import type { Interception } from './proxy/intercept/receive.ts';
import { sitesOf } from './proxy/intercept/sites.ts';
import { createTerminator } from './proxy/intercept/terminate.ts';
import { listenTransparent } from './proxy/intercept/transparent.ts';
import type { ProxyListener } from './proxy/listener.ts';
import { openAuthority } from './store/ca.ts';

export interface WaysIn {
  /** `http://host:port` for HTTPS_PROXY; null when it is not configured. */
  readonly forwardUrl: string | null;
  /** `host:port` for the redirect; null when it is not configured. */
  readonly transparentAddress: string | null;
  /** Takes no more connections; the data plane's drain ends those there are. */
  close(): void;
}

/** Opens what is configured. Rejects with `config_invalid`; then nothing of it listens. */
export async function openWaysIn(
  { config, clock, lookUp }: Pick<Parts, 'config' | 'clock' | 'lookUp'>,
  house: House,
  listener: ProxyListener,
): Promise<WaysIn> {
  const { forward, transparent, others } = config.proxy;
  const doors: Door[] = [];
  const waiting = new Set<Duplex>();
  const close = (): void => {
    for (const door of doors) door.close();
    for (const socket of waiting) socket.destroy();
  };
  if (forward === undefined && transparent === undefined)
    return { forwardUrl: null, transparentAddress: null, close };

  const sites = sitesOf(
    house.upstreams.map((upstream) => ({ upstream, hosts: config.upstreams[upstream.name]?.hosts ?? [] })),
  );
  const hosts = sites.flatMap(({ scheme, host }) => (scheme === 'https' ? [host] : []));
  const it: Interception = {
    house,
    sites,
    others,
    terminate: createTerminator(issuerFor(config, hosts, clock), clock.nowMs, (socket, site) =>
      listener.accept(socket, entranceTo(site)),
    ),
    lookUp,
    own: createOwnConnections(),
    waiting,
    bounds: {
      connectMsMax: config.limits.upstreamConnectMsMax,
      idleMsMax: config.limits.upstreamIdleMsMax,
    },
  };
  async function open(door: Promise<Door>): Promise<Door> {
    const opened = await door;
    doors.push(opened);
    return opened;
  }
  try {
    const forwardDoor =
      forward && (await open(listenForwardProxy(parseAddress(forward.listen), it, listener.accept)));
    const transparentDoor =
      transparent && (await open(listenTransparent(parseAddress(transparent.listen), it, listener.follow)));
    return {
      forwardUrl: forwardDoor === undefined ? null : `http://${forwardDoor.address}`,
      transparentAddress: transparentDoor?.address ?? null,
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

function issuerFor(config: LoadedConfig, hosts: readonly string[], clock: Clock) {
  if (hosts.length === 0) {
    if (config.proxy.transparent === undefined) return { issue: noHost };
    throw new HoldpointError(
      'config_invalid',
      'proxy.transparent needs an upstream that is called over https.',
      'Give one an https url, or name the hosts that workloads call in upstreams.*.hosts.',
    );
  }
  return openAuthority({
    keyFile: config.paths.caKey,
    certificateFile: config.paths.caCertificate,
    hosts: [...new Set(hosts)],
    nowMs: clock.nowMs,
    random: systemRandom,
  });
}

function noHost(host: string): never {
  throw new RangeError(`No certificate is made for ${host}.`);
}
