/** Probes, metrics and who the token belongs to. The first three need no token and carry no content. */
import { type Route, sendJson, sendText } from '../http.ts';
import type { ControlParts } from '../parts.ts';

export function healthRoutes(parts: ControlParts): Route[] {
  return [
    // Alive: the process answers. It does not look at the ledger, or a full disk would restart the pod for nothing.
    {
      method: 'GET',
      path: '/healthz',
      needsToken: false,
      handle: ({ res }) => sendJson(res, 200, { status: 'alive' }),
    },
    {
      method: 'GET',
      path: '/readyz',
      needsToken: false,
      handle: ({ res }) => {
        const why = parts.notReady();
        sendJson(
          res,
          why === '' ? 200 : 503,
          why === '' ? { status: 'ready' } : { status: 'not ready', why },
        );
      },
    },
    {
      method: 'GET',
      path: '/metrics',
      needsToken: false,
      handle: ({ res }) =>
        sendText(res, 200, parts.metricsPage(), 'text/plain; version=0.0.4; charset=utf-8'),
    },
    {
      method: 'GET',
      path: '/api/v1/whoami',
      needsToken: true,
      handle: ({ res, identity }) => sendJson(res, 200, identity),
    },
    {
      method: 'GET',
      path: '/api/v1/policy',
      needsToken: true,
      handle: ({ res }) => {
        const { version, digest, source } = parts.policy();
        sendJson(res, 200, { version, digest, source });
      },
    },
  ];
}
