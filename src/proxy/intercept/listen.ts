/** A socket that only takes connections; what they are is for others to say. */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { HoldpointError } from '../../core/errors.ts';

export interface Door {
  /** `host:port` as bound. */
  readonly address: string;
  /** Takes no more connections; those it took are not its own. */
  close(): void;
}

/** Listens; rejects with `config_invalid`, naming `setting`, when the address is taken. */
export function listenDoor(
  { host, port }: { readonly host: string; readonly port: number },
  setting: string,
  onConnection: (socket: Socket) => void,
): Promise<Door> {
  const { promise, resolve, reject } = Promise.withResolvers<Door>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, onConnection);
  server.once('error', (error) => {
    reject(
      new HoldpointError(
        'config_invalid',
        `Cannot listen on ${host}:${port}: ${error.message}.`,
        `Choose another ${setting} or stop what uses it.`,
        error,
      ),
    );
  });
  server.listen(port, host, () => {
    const bound = server.address();
    resolve({ address: isBound(bound) ? nameOf(bound) : '', close: () => server.close() });
  });
  return promise;
}

const isBound = (address: AddressInfo | string | null): address is AddressInfo =>
  typeof address === 'object' && address !== null;

const nameOf = ({ family, address, port }: AddressInfo): string =>
  `${family === 'IPv6' ? `[${address}]` : address}:${port}`;
