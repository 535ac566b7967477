/** Probes, metrics and who the token belongs to. The first three need no token and carry no content. */
import { healthz, metrics, readyz, showPolicy, whoami } from '../api/sidecar.ts';
import { type Route, sendJson, sendText } from '../http.ts';
import type { ControlParts } from '../parts.ts';
import { identityShown } from '../sign-in/routes.ts';

export function healthRoutes(parts: ControlParts): Route[] {
  return [
    // Alive: the process answers. It does not look at the ledger, or a full disk would restart the pod for nothing.
    {
      method: 'GET',
      path: '/healthz',
      operation: healthz,
      handle: ({ res }) => sendJson(res, 200, { status: 'alive' }),
    },
    {
      method: 'GET',
      path: '/readyz',
      operation: readyz,
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
      operation: metrics,
      handle: ({ res }) =>
        sendText(res, 200, parts.metricsPage(), 'text/plain; version=0.0.4; charset=utf-8'),
    },
    {
      method: 'GET',
      path: '/api/v1/whoami',
      operation: whoami,
      handle: ({ res, identity }) => sendJson(res, 200, identityShown(identity, parts.roles)),
    },
    {
      method: 'GET',
      path: '/api/v1/policy',
      operation: showPolicy,
      handle: ({ res }) => {
        const { version, digest, source } = parts.policy();
        sendJson(res, 200, { version, digest, source });
      },
    },
  ];
}
