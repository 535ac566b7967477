/** Plain connections whose two ends a test has in hand. */
import { connect, createServer, type Server, Socket } from 'node:net';
import { vi } from 'vitest';
import { atEnd } from './endings.ts';

export function portOf(server: { address(): unknown }): number {
  const address = server.address();
  return typeof address === 'object' && address !== null && 'port' in address ? Number(address.port) : 0;
}

/** A server on a free port of loopback whose connections stay half open where the other side ends its own half. */
export async function listen(onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    atEnd(() => {
      socket.destroy();
    });
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    server.close();
  });
  return server;
}

/** A caller and the sidecar's end of its connection. */
export async function pair(): Promise<{ caller: Socket; inner: Socket }> {
  const accepted = Promise.withResolvers<Socket>();
  const server = await listen(accepted.resolve);
  const caller = connect({ port: portOf(server), host: '127.0.0.1', allowHalfOpen: true });
  caller.on('error', () => caller.destroy());
  atEnd(() => {
    caller.destroy();
  });
  return { caller, inner: await accepted.promise };
}

/** The connections that are dialled from here on; none of them comes about by itself. */
export function dialledInVain(): readonly Socket[] {
  const dialled: Socket[] = [];
  const dialling = vi.spyOn(Socket.prototype, 'connect').mockImplementation(function (this: Socket) {
    dialled.push(this);
    Object.assign(this, { connecting: true });
    return this;
  });
  atEnd(() => dialling.mockRestore());
  return dialled;
}

export async function everythingFrom(socket: Socket): Promise<string> {
  let text = '';
  for await (const bytes of socket) text += String(bytes);
  return text;
}
