import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { createConnections, wasCut } from '../../../src/proxy/connections.ts';

it('one that is closed is forgotten', async () => {
  const connections = createConnections();
  const [over, open] = [new PassThrough(), new PassThrough()];
  connections.add(over);
  connections.add(open);
  over.destroy();
  await once(over, 'close');
  expect(connections.open()).toEqual([open]);
});

it('one that is cut is known to be, and one that its peer left is not', () => {
  const connections = createConnections();
  const [left, cut] = [new PassThrough(), new PassThrough()];
  connections.add(left);
  connections.add(cut);
  left.destroy();
  connections.cut();
  expect([left, cut].map((socket) => [socket.destroyed, wasCut(socket)])).toEqual([
    [true, false],
    [true, true],
  ]);
});
