/** One side of a WebSocket connection: how much of what it sends is taken in while nobody takes it on. */
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { acceptPeer, type Peer } from '../../../src/proxy/realtime/peer.ts';
import { atEnd, endAll } from '../../support/endings.ts';
import { portOf } from '../../support/socket-pair.ts';

afterEach(endAll);

const handshake = [
  'GET / HTTP/1.1',
  'Host: sidecar.test',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];
/** A text message with nothing in it, masked with zeros (RFC 6455 section 5.2). */
const emptyMessage = Buffer.from([0x81, 0x80, 0, 0, 0, 0]);

async function accepted(): Promise<{ peer: Peer; socket: Duplex; caller: Socket }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ peer: Peer; socket: Duplex }>();
  const server = createServer().on('upgrade', (req, socket, head) => {
    const offer = { protocol: '', headers: [], messageBytesMax: 1024 };
    acceptPeer(req, socket, head, offer).then((peer) => resolve({ peer, socket }), reject);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const caller = connect(portOf(server), '127.0.0.1').resume();
  atEnd(() => {
    caller.destroy();
    server.close();
  });
  caller.write(`${handshake.join('\r\n')}\r\n\r\n`);
  return { ...(await promise), caller };
}

test('many small messages that nobody takes on stay in the network, as a few large ones do', async () => {
  const { peer, socket, caller } = await accepted();
  const sent = 50_000;
  caller.write(Buffer.concat(Array.from({ length: sent }, () => emptyMessage)));
  await expect.poll(() => socket.isPaused()).toBe(true);
  // Taken on, they come all the same, to the last.
  let taken = 0;
  while (taken < sent && (await peer.next())?.data.length === 0) taken += 1;
  expect(taken).toBe(sent);
});
