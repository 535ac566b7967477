/**
 * An upgrade to a WebSocket: recorded and judged where Holdpoint knows what is spoken at its path, passed unread
 * where the configuration says so, refused anywhere else. Nothing goes out that is neither recorded nor named.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { HoldpointError } from '../core/errors.ts';
import { gatewayAsks } from '../core/gateway-headers.ts';
import { socketDialectAt } from '../provider/realtime/dialects.ts';
import { isUnclear, routeSegments } from '../provider/route.ts';
import { readUpgrade, type UpgradeCall } from './call.ts';
import type { House } from './house.ts';
import { openRealtime } from './realtime/open.ts';
import type { Session } from './realtime/session.ts';
import { toHoldpointError } from './respond.ts';
import { openTunnel } from './tunnel.ts';
import { refuseUpgrade } from './upgrade-refusal.ts';

/** Takes one upgrade from its first byte to the end of its connection. The connection's errors are heard by whoever hands it over. */
export async function takeUpgrade(
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  house: House,
  onSession: (session: Session) => () => void,
): Promise<void> {
  let call: UpgradeCall;
  try {
    call = readUpgrade(req, house.upstreams, house.fingerprint, house.workloadName);
  } catch (thrown) {
    refuseUpgrade(socket, toHoldpointError(thrown), null, null);
    return;
  }
  const { protocol } = call.upstream;
  if (isUnclear(pathBelow(call))) {
    const what = 'The dot segments of the path lead elsewhere for some servers.';
    const error = new HoldpointError('bad_request', what, 'Send the path without them.');
    refuseUpgrade(socket, error, protocol, null);
    return;
  }
  if (isTunnelled(call)) return openTunnel(req, socket, head, call, house);
  const dialect = socketDialectAt(call.facts.path);
  const doubt = dialect?.doubt?.(call.target) ?? '';
  if (doubt !== '') {
    refuseUpgrade(socket, new HoldpointError('bad_request', doubt, 'Say it once.'), protocol, null);
    return;
  }
  const [unclear] = gatewayAsks(call.headers).defects;
  if (dialect !== null && unclear !== undefined) {
    const what = `The handshake cannot be read: ${unclear}.`;
    const error = new HoldpointError('bad_request', what, 'Write the field as its gateway documents it.');
    refuseUpgrade(socket, error, protocol, null);
    return;
  }
  if (dialect !== null) return openRealtime(req, socket, head, call, dialect, house, onSession);
  refuseUpgrade(socket, unknownPath(call), protocol, null);
}

/** The path below the upstream's own, as the configuration lists them. */
function pathBelow({ upstream, facts }: UpgradeCall): string {
  return facts.path.slice(upstream.basePath.length);
}

/** Compared as routers may see the path, so that no spelling of another one gets through unread. */
function isTunnelled(call: UpgradeCall): boolean {
  // To servers that read it as a URL its first name is a host, and what follows is the path.
  if (/^[/\\]{2}/.test(call.target)) return false;
  const segments = routeSegments(pathBelow(call));
  return (call.upstream.tunnel ?? []).some((prefix) =>
    routeSegments(prefix).every((name, i) => segments[i] === name),
  );
}

function unknownPath(call: UpgradeCall): HoldpointError {
  return new HoldpointError(
    'denied_by_policy',
    `Holdpoint does not know what is spoken over a WebSocket at ${pathBelow(call).slice(0, 256)}, so it cannot be recorded.`,
    `List its path in upstreams.${call.upstream.name}.tunnel to let it pass unread.`,
  );
}
