/** The places that workloads call, from the upstreams behind them. Pure. */
import { HoldpointError } from '../../core/errors.ts';
import type { Upstream } from '../upstream.ts';
import { type Destination, defaultPorts, nameOf, readDestination, type Site } from './destination.ts';

export interface NamedUpstream {
  readonly upstream: Upstream;
  /** Further hosts that mean it, as `host` or `host:port`, over TLS. */
  readonly hosts: readonly string[];
}

/**
 * One site for each scheme, host and port. Under its own host an upstream is found where its paths begin, under
 * others at the root. Throws `config_invalid` for a host that is none, and for two upstreams that cannot be told apart.
 */
export function sitesOf(named: readonly NamedUpstream[]): readonly Site[] {
  const sites = new Map<string, Site & { readonly upstreams: Upstream[] }>();
  function add(scheme: Site['scheme'], destination: Destination, upstream: Upstream, mount: string): void {
    const key = `${scheme}://${nameOf(destination)}`;
    const site = sites.get(key) ?? { ...destination, scheme, upstreams: [] };
    sites.set(key, site);
    const other = site.upstreams.find((candidate) => candidate.mount === mount);
    // Its own host among its further ones, or one of them twice.
    if (other?.name === upstream.name) return;
    if (other !== undefined) {
      throw new HoldpointError(
        'config_invalid',
        `upstreams.${other.name} and upstreams.${upstream.name} are both ${key}${mount}.`,
        'The forward proxy and the redirect find an upstream by its host: give each its own.',
      );
    }
    site.upstreams.push({ ...upstream, mount });
  }
  for (const { upstream, hosts } of named) {
    const { protocol, host } = new URL(upstream.origin);
    const scheme = protocol === 'http:' ? 'http' : 'https';
    add(scheme, read(host, defaultPorts[scheme], upstream), upstream, upstream.basePath || '/');
    for (const text of hosts) add('https', read(text, defaultPorts.https, upstream), upstream, '/');
  }
  return [...sites.values()];
}

function read(text: string, defaultPort: number, { name }: Upstream): Destination {
  const destination = readDestination(text, defaultPort);
  if (destination !== null) return destination;
  throw new HoldpointError(
    'config_invalid',
    `upstreams.${name} names the host ${text}, which is no host.`,
    'Expected host or host:port.',
  );
}
