/** How every listener of the sidecar begins: bound, or refused with the setting that names another address. */
import type { AddressInfo, Server } from 'node:net';
import { HoldpointError } from './errors.ts';

/** Listens on `host:port` and resolves with them as bound; rejects with `config_invalid` when the address is taken. */
export function listening(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
  setting: string,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  server.once('error', (error: NodeJS.ErrnoException) => {
    reject(
      new HoldpointError(
        'config_invalid',
        `Cannot listen on ${host}:${port}: ${error.message}.`,
        `Choose another ${setting}${error.code === 'EADDRINUSE' ? ' or stop what uses it' : ''}.`,
        error,
      ),
    );
  });
  server.listen(port, host, () => resolve(boundTo(server.address())));
  return promise;
}

function boundTo(address: AddressInfo | string | null): string {
  if (typeof address !== 'object' || address === null) return '';
  return `${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}
