/** The way out of the network, as configured. Part of the composition: configuration -> egress. */
import type { Environment } from './config/environment.ts';
import type { LoadedConfig } from './config/load.ts';
import type { Clock } from './core/clock.ts';
import { directHosts } from './core/direct-hosts.ts';
import { createEgress, type Egress, noProxy } from './core/egress.ts';
import { openSecret } from './store/secret.ts';

/** Throws `config_invalid` where the proxy's secret is not there. */
export function wayOutOf({ egress, limits }: LoadedConfig, env: Environment, clock: Clock): Egress {
  if (egress === undefined) return noProxy;
  const { proxy, authorization, except } = egress;
  return createEgress({
    proxy: new URL(proxy),
    authorization:
      authorization === undefined
        ? null
        : openSecret('egress.authorization', authorization, env, clock.nowMs),
    isDirect: directHosts(except),
    connectMsMax: limits.upstreamConnectMsMax,
  });
}
