/** The other end of a connection: what a server in this process accepts. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { atEnd } from './endings.ts';

/** The sidecar's end of the next connection to this port. */
export function acceptedAt(port: number): Promise<Socket> {
  const { promise, resolve } = Promise.withResolvers<Socket>();
  const look = (message: unknown): void => {
    const { socket } = Object(message);
    if (socket instanceof Socket && socket.localPort === port) resolve(socket);
  };
  subscribe('net.server.socket', look);
  atEnd(() => void unsubscribe('net.server.socket', look));
  return promise;
}
