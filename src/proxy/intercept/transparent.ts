/**
 * Connections to port 443 that the kernel redirected here. Node cannot ask for their original destination; the
 * name in the ClientHello says where they go, and one without a name goes nowhere.
 */
import type { Duplex } from 'node:stream';
import { type Door, listenDoor } from './listen.ts';
import { type Interception, receiveTls } from './receive.ts';

/** Listens for redirected connections; `follow` keeps each until it was handed over or is closed. */
export function listenTransparent(
  address: { readonly host: string; readonly port: number },
  it: Interception,
  follow: (socket: Duplex, run: Promise<void>) => void,
): Promise<Door> {
  return listenDoor(address, 'proxy.transparent.listen', (socket) =>
    follow(socket, receiveTls(socket, null, it)),
  );
}
