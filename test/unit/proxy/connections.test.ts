import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { createConnections } from '../../../src/proxy/connections.ts';

it('those that are over are none of the open ones', () => {
  const connections = createConnections();
  const [over, open] = [new PassThrough(), new PassThrough()];
  connections.add(over);
  connections.add(open);
  over.destroy();
  expect(connections.open()).toEqual([open]);
});

it('however many come and go, no more are remembered than twice those that were open at once, and some', () => {
  const connections = createConnections();
  const open: PassThrough[] = [];
  let most = 0;
  for (let i = 0; i < 5_000; i += 1) {
    const socket = new PassThrough();
    connections.add(socket);
    open.push(socket);
    if (open.length > 100) open.shift()?.destroy();
    most = Math.max(most, connections.size());
  }
  expect(connections.open()).toEqual(open);
  expect(most).toBeLessThanOrEqual(2 * 101 + 64);
});
