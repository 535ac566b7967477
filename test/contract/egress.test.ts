/** Whatever the sidecar asks of others by itself goes by the egress proxy that is configured. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { startConnectProxy } from '../support/connect-proxy.ts';
import { endAll } from '../support/endings.ts';
import { makePlace, startTestSidecar } from '../support/sidecar.ts';
import { openPage } from './support/page.ts';

afterEach(endAll);

const publicUrl = 'http://127.0.0.1:8788';
const settings = {
  upstreams: { openai: { url: 'https://provider.test', protocol: 'openai', mount: '/' } },
} as const;

test.each([
  [
    'anchors',
    'tsa.test:443',
    { anchors: { everyMs: 1_000, to: { notary: { kind: 'timestamp', url: 'https://tsa.test' } } } },
  ],
  ['receivers', 'hooks.test:443', { notify: { to: { desk: { kind: 'slack', url: { env: 'SLACK' } } } } }],
  [
    'the OpenID provider',
    'id.test:443',
    {
      control: {
        listen: '127.0.0.1:0',
        publicUrl,
        signIn: {
          oidc: { issuer: 'https://id.test', clientId: 'x', roles: [{ group: 'g', role: 'viewer' }] },
        },
      },
    },
  ],
])('so do %s', async (_who, target, more) => {
  const proxy = await startConnectProxy({ ports: {}, refusal: '403 Forbidden' });
  const place = makePlace(settings);
  const config: unknown = JSON.parse(readFileSync(place.configFile, 'utf8'));
  writeFileSync(
    place.configFile,
    JSON.stringify(Object.assign(Object(config), more, { egress: { proxy: proxy.url } })),
  );
  const sidecar = await startTestSidecar(
    { ...settings, env: { SLACK: 'https://hooks.test/services/T/B/x' } },
    place,
  );
  const headers = {
    authorization: `Bearer ${place.tokenOf('root', 'admin')}`,
    'content-type': 'application/json',
  };
  const notice = { method: 'POST', headers, body: '{"receiver":"desk"}' };
  await fetch(`${sidecar.controlUrl}/api/v1/notifications/test`, notice);
  const { host, origin } = new URL(publicUrl);
  await openPage(sidecar.controlUrl).send('/sign-in/oidc', { method: 'POST', headers: { host, origin } });
  await expect.poll(() => proxy.asked.map((asked) => asked.target), { timeout: 8_000 }).toContain(target);
});
