/** The certificate of a request's connection as its credentials. */
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../core/clock.ts';
import { checkSentByPage } from '../auth.ts';
import type { Caller } from './caller.ts';
import { type ClientMapping, certificateHolder, type TlsServer } from './certificates.ts';
import type { FirstUses } from './first-uses.ts';

/**
 * Undefined where no certificate came along, null where it names nobody here. Browsers send certificates by themselves:
 * theirs count for the console's own page alone. Rejects with `forbidden`, and with `ledger_unavailable`.
 */
export async function certificateLogin(
  req: IncomingMessage,
  {
    tls,
    clients,
    clock,
    origin,
    firstUses,
  }: {
    readonly tls: TlsServer;
    readonly clients: readonly ClientMapping[];
    readonly clock: Clock;
    readonly origin: URL;
    readonly firstUses: FirstUses;
  },
): Promise<Caller | null | undefined> {
  const holder = tls.takesClients() ? certificateHolder(req, clients, clock) : undefined;
  if (holder == null) return holder;
  const isBrowser = req.headers.origin !== undefined || req.headers['sec-fetch-site'] !== undefined;
  if (isBrowser) checkSentByPage(req, origin.origin);
  const { caller, grant } = holder;
  await firstUses(caller, { via: 'certificate', grant, from: req.socket.remoteAddress ?? '' });
  return caller;
}
