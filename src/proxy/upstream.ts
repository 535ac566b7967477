/** Where calls go: the upstreams that are configured, and which of them a request's target means. */
import { HoldpointError } from '../core/errors.ts';
import type { Protocol } from '../provider/protocol.ts';
import { hasTooManySegments } from '../provider/route.ts';
import type { ProviderKey } from './provider-key.ts';
import type { SignRequest } from './sigv4.ts';

export interface Upstream {
  readonly name: string;
  /** Scheme, host and port. */
  readonly origin: string;
  /** Prefix of every path at the upstream, without a trailing slash; '' for none. */
  readonly basePath: string;
  /** `/` or `/anthropic`; the longest that fits wins. */
  readonly mount: string;
  readonly protocol: Protocol;
  /** Sent in place of the workload's own credential; absent where workloads bring theirs. */
  readonly key?: ProviderKey | undefined;
  /** Signs in place of the workload; absent where workloads sign, or bring a key. */
  readonly sign?: SignRequest | undefined;
  /** The workload's own Host goes on, as its signature covers it. */
  readonly keepHost?: boolean | undefined;
  /** Prefixes of paths whose WebSockets pass unread and unrecorded; none when absent. */
  readonly tunnel?: readonly string[] | undefined;
}

const pathCharactersMax = 256;

/** The upstream whose mount fits a request's target best. Throws `no_upstream` or `bad_request`. */
export function upstreamFor(url: string, upstreams: readonly Upstream[]): Upstream {
  if (!url.startsWith('/')) {
    throw new HoldpointError(
      'bad_request',
      'The request target must be a path.',
      'Point the SDK’s base URL at Holdpoint; it is not a forward proxy.',
    );
  }
  const path = pathOf(url);
  if (hasTooManySegments(path))
    throw new HoldpointError(
      'bad_request',
      'The path has more segments than any that can be read.',
      'Shorten it.',
    );
  let best: Upstream | null = null;
  for (const upstream of upstreams) {
    const { mount } = upstream;
    const fits = mount === '/' || path === mount || path.startsWith(`${mount}/`);
    if (fits && mount.length > (best?.mount.length ?? 0)) best = upstream;
  }
  if (best === null) {
    throw new HoldpointError(
      'no_upstream',
      `No upstream is mounted at ${path.slice(0, pathCharactersMax)}.`,
      'Check upstreams.*.mount in the configuration.',
    );
  }
  return best;
}

/** Path and query below the mount. */
export function targetBelow(url: string, mount: string): string {
  if (mount === '/') return url;
  const below = url.slice(mount.length);
  return below.startsWith('/') ? below : `/${below}`;
}

/** A target without its query. */
export function pathOf(target: string): string {
  const mark = target.indexOf('?');
  return mark === -1 ? target : target.slice(0, mark);
}
