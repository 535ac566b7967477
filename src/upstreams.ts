/** The configuration's upstreams as the proxy takes them: where each is, and what is put in or signed on the way there. */
import type { Environment } from './config/environment.ts';
import type { LoadedConfig } from './config/load.ts';
import { keyHeaders, providerUrls } from './config/presets.ts';
import type { Clock } from './core/clock.ts';
import { protocolOf } from './provider/index.ts';
import type { Upstream } from './proxy/upstream.ts';
import { openAwsCredentials } from './store/aws-credentials.ts';
import { openProviderKey } from './store/provider-key.ts';

/** The configured upstreams. Rejects with `config_invalid` where a key is to be put in or a signature made and there is nothing to do it with. */
export function upstreamsOf(config: LoadedConfig, env: Environment, clock: Clock): Promise<Upstream[]> {
  const opened = Object.entries(config.upstreams).map(
    async ([name, { url, protocol, mount, tunnel, key, sign, keepHost }]) => {
      const { origin, pathname } = new URL(url ?? providerUrls[protocol] ?? '');
      const basePath = pathname.replace(/\/+$/, '');
      const upstream = { name, origin, basePath, mount, tunnel, protocol: protocolOf(protocol), keepHost };
      if (sign !== undefined) {
        // Only where it is needed: Amazon's library takes 2 MB of every sidecar that has it in memory.
        const { createSigner } = await import('./proxy/sigv4.ts');
        const credentials = openAwsCredentials(env, `upstreams.${name}.sign`, clock.nowMs);
        return { ...upstream, sign: createSigner(sign, credentials, clock.nowMs) };
      }
      if (key === undefined) return upstream;
      const header = key.header ?? keyHeaders[protocol] ?? 'authorization';
      return { ...upstream, key: { header, current: openProviderKey(name, key, env, clock.nowMs) } };
    },
  );
  return Promise.all(opened);
}
