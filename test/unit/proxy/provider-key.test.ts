/** The provider's key takes the place of every credential of the workload, wherever it stands. */
import { expect, test } from 'vitest';
import { withProviderKey } from '../../../src/proxy/provider-key.ts';

/** Asked for, so that an answer that repeats the key can be told. */
const clear = ['accept-encoding', 'identity'];
const bearer = { header: 'authorization', current: () => 'sk-real' };
const goog = { header: 'x-goog-api-key', current: () => 'real' };

test('without a key nothing changes', () => {
  const headers = ['Authorization', 'Bearer own'];
  expect(withProviderKey(undefined, '/v1?key=own', headers)).toEqual({ path: '/v1?key=own', headers });
});

test('every header that may carry a credential goes, and the key comes: all else stays', () => {
  const own = [
    'Authorization',
    'X-Api-Key',
    'api-key',
    'x-goog-api-key',
    'Ocp-Apim-Subscription-Key',
    'X-Auth-Token',
    'X-Access-Token',
    'X-Amz-Security-Token',
    'Cookie',
    'Accept-Encoding',
  ];
  const others = ['Accept', '*/*', 'X-Empty', ''];
  const sent = withProviderKey(bearer, '/v1/x', [...others, ...own.flatMap((name) => [name, 'own'])]);
  expect(sent.headers).toEqual([...others, 'authorization', 'Bearer sk-real', ...clear]);
});

test('a header of a gateway’s own carries the key as it is, in place of the workload’s', () => {
  const gateway = { header: 'cf-aig-key', current: () => 'real' };
  expect(withProviderKey(gateway, '/', ['CF-AIG-Key', 'own']).headers).toEqual([
    'cf-aig-key',
    'real',
    ...clear,
  ]);
});

test.each([
  ['/v1?key=own', '/v1'],
  ['/v1?alt=sse&key=own', '/v1?alt=sse'],
  ['/v1?%6Bey=own&KEY=own&api-key=own&access_token=own&b=2', '/v1?b=2'],
  ['/v1?apikey=own&oauth_token=own&auth_token=own&subscription-key=own&b=2', '/v1?b=2'],
  ['/v1?keyword=x&pageToken=y', '/v1?keyword=x&pageToken=y'],
  ['/v1?%zz=1', '/v1?%zz=1'],
])('of %s the provider sees %s', (path, seen) => {
  expect(withProviderKey(goog, path, []).path).toBe(seen);
});

test('a key in a WebSocket’s subprotocol goes, the others stay', () => {
  const offer = ['Sec-WebSocket-Protocol', 'realtime, openai-insecure-api-key.own, openai-beta.realtime-v1'];
  expect(withProviderKey(bearer, '/', offer).headers).toEqual([
    'Sec-WebSocket-Protocol',
    'realtime, openai-beta.realtime-v1',
    'authorization',
    'Bearer sk-real',
    ...clear,
  ]);
  const alone = ['Sec-WebSocket-Protocol', 'openai-insecure-api-key.own'];
  expect(withProviderKey(bearer, '/', alone).headers).toEqual(['authorization', 'Bearer sk-real', ...clear]);
});
