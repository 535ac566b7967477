/** What a command says where the sidecar gives no answer. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ControlClient, controlClient } from '../../../src/cli/client.ts';
import { readOptions } from '../../../src/cli/options.ts';
import { whetherRuled } from '../../../src/cli/ruling-about.ts';
import { HoldpointError } from '../../../src/core/errors.ts';
import { makeAuthority } from '../../support/certificates.ts';

let directory: string;
const open: { server: Server; sockets: Set<{ destroy(): void }> }[] = [];

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdpoint-no-answer-'));
});
afterAll(() => rmSync(directory, { recursive: true }));
afterEach(async () => {
  for (const { server, sockets } of open.splice(0)) {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
});

async function listen(server: Server): Promise<string> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({ server, sockets });
  const address = server.address();
  return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

const options = readOptions([], ['url', 'token']);
const clientOf = (url: string, timeoutMs = 10_000): ControlClient =>
  controlClient(options, { HOLDPOINT_URL: url, HOLDPOINT_TOKEN: 'hp_a' }, { timeoutMs });

async function refusal(asked: Promise<unknown>): Promise<HoldpointError> {
  const error: unknown = await asked.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof HoldpointError) return error;
  throw new Error('it was no refusal', { cause: error });
}
const silent: RequestListener = (req) => void req.resume();
const rule = (client: ControlClient) =>
  client.post('/api/v1/holds/h-1/rulings', { verdict: 'deny' }, whetherRuled(['h-1']));

describe('a URL of the wrong kind is told with the one that would be right', () => {
  it('https against plain HTTP', async () => {
    const host = await listen(createServer(silent));
    const error = await refusal(rule(clientOf(`https://${host}`)));
    expect(error.code).toBe('sidecar_unreachable');
    expect(error.message).toBe(
      `The sidecar at https://${host} cannot be reached: what listens there speaks plain HTTP, and was asked for TLS.`,
    );
    expect(error.next).toContain(`--url http://${host}`);
  });

  it('http against TLS', async () => {
    const credential = makeAuthority(directory, 'self').selfSigned('/CN=127.0.0.1');
    const host = await listen(createTlsServer(credential, silent));
    const error = await refusal(rule(clientOf(`http://${host}`)));
    expect(error.message).toBe(
      `The sidecar at http://${host} cannot be reached: what listens there speaks TLS, and was asked in plain HTTP.`,
    );
    expect(error.next).toContain(`--url https://${host}`);
  });

  it('and a certificate that nobody vouches for with where to name who does', async () => {
    const credential = makeAuthority(directory, 'other').selfSigned('/CN=127.0.0.1');
    const host = await listen(createTlsServer(credential, silent));
    const error = await refusal(clientOf(`https://${host}`).get('/'));
    expect(error.message).toContain('nobody that Node trusts has signed its certificate');
    expect(error.next).toContain('NODE_EXTRA_CA_CERTS=FILE');
  });
});

describe('a ruling without an answer', () => {
  it('that is late is not known to be sealed, and it is said how to find out', async () => {
    const host = await listen(createServer(silent));
    const error = await refusal(rule(clientOf(`http://${host}`, 100)));
    expect(error.message).toBe(
      `The sidecar at http://${host} did not answer within 0.1 s. Whether it carried out what was asked is not known: it may have.`,
    );
    expect(error.next).toContain('holdpoint holds show h-1');
  });

  it('of a connection that is cut is not known to be sealed either', async () => {
    const host = await listen(createServer((req) => req.socket.destroy()));
    const error = await refusal(rule(clientOf(`http://${host}`)));
    expect(error.message).toContain('is not known: it may have.');
    expect(error.next).toContain('holdpoint holds show h-1');
  });

  it('is known not to be sealed where nothing listens', async () => {
    const server = createTcpServer();
    const host = await listen(server);
    open.splice(0);
    await new Promise<void>((resolve) => server.close(() => resolve()));
    const error = await refusal(rule(clientOf(`http://${host}`)));
    expect(error.message).toBe(
      `The sidecar at http://${host} cannot be reached: nothing listens there (ECONNREFUSED).`,
    );
  });
});

it('a question without an answer is asked again, and nothing else', async () => {
  const host = await listen(createServer(silent));
  const error = await refusal(clientOf(`http://${host}`, 100).get('/api/v1/holds'));
  expect(error.message).toBe(`The sidecar at http://${host} did not answer within 0.1 s.`);
});
