/** Who sends a request slowly, in real time: half a minute, answered or not, and ten only for who may report. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type House, startHouse } from './support/sidecar.ts';

const limitMs = 30_000;
const marginMs = 10_000;
const everyMs = 2_000;
let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.close());

/** Sends a head that promises a body, and of the body a byte now and then. */
function sendSlowly(line: string, ...headers: readonly string[]): Socket {
  const { hostname, port } = new URL(house.sidecar.controlUrl);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => socket.destroy());
  const head = [line, `Host: ${hostname}:${port}`, 'Content-Length: 10000', ...headers];
  socket.write(`${head.join('\r\n')}\r\n\r\n{`);
  socket.resume();
  const sending = setInterval(() => socket.write(' '), everyMs);
  socket.once('close', () => clearInterval(sending));
  return socket;
}

it('is cut off, whatever the answer was', { timeout: limitMs + 2 * marginMs }, async () => {
  const lines = 'Content-Type: application/x-ndjson';
  const slow = [
    sendSlowly('GET /healthz HTTP/1.1'),
    sendSlowly('POST /nowhere HTTP/1.1'),
    sendSlowly('POST /api/v1/decisions:batch HTTP/1.1', lines),
    sendSlowly(
      'POST /api/v1/decisions:batch HTTP/1.1',
      lines,
      `Authorization: Bearer ${house.tokens.viewer}`,
    ),
  ];
  const report = sendSlowly(
    'POST /api/v1/decisions:batch HTTP/1.1',
    lines,
    `Authorization: Bearer ${house.tokens.reporter}`,
  );
  const from = performance.now();
  await Promise.all(slow.map((socket) => once(socket, 'close')));
  expect(performance.now() - from).toBeLessThan(limitMs + marginMs);
  expect(report.destroyed).toBe(false);
  report.destroy();
});
