/** What the console says of answers that do not come whole. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApi } from '../../../../src/console/desk/api.ts';

let server: Server;
let url: string;
beforeAll(async () => {
  server = createServer((req, res) => {
    const isCut = req.url === '/cut';
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': '10' });
    // Once the head and the beginning are on their way, the connection is gone.
    res.write('{"a":', () => (isCut ? res.destroy() : res.end('!!!!!')));
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  // A server that listens on a port has an address of one.
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('an answer', () => {
  it.each(['get', 'bytes'] as const)('that is cut off is an outage (%s)', async (ask) => {
    await expect(createApi('key')[ask](`${url}/cut`)).rejects.toMatchObject({
      status: 0,
      code: 'unreachable',
      message: 'The sidecar cannot be reached.',
    });
  });

  it('that is whole and no JSON is none', async () => {
    await expect(createApi('key').get(`${url}/whole`)).rejects.toThrow(SyntaxError);
  });
});
