/** A socket that only takes connections; what they are is for others to say. */
import { createServer, type Socket } from 'node:net';
import { listening } from '../../core/listening.ts';

export interface Door {
  /** `host:port` as bound. */
  readonly address: string;
  /** Takes no more connections; those it took are not its own. */
  close(): void;
}

/** Listens; rejects with `config_invalid`, naming `setting`, when the address is taken. */
export async function listenDoor(
  place: { readonly host: string; readonly port: number },
  setting: string,
  onConnection: (socket: Socket) => void,
): Promise<Door> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, onConnection);
  const address = await listening(server, place, setting);
  return { address, close: () => server.close() };
}
