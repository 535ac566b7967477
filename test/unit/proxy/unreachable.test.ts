/** What is told of an upstream to which no connection comes about: what happened, and whose matter it is. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createConnection, type LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { noProxy } from '../../../src/core/egress.ts';
import { HoldpointError } from '../../../src/core/errors.ts';
import { bodyOf } from '../../../src/proxy/body.ts';
import { createForwarder } from '../../../src/proxy/forward.ts';
import { unreachable } from '../../../src/proxy/unreachable.ts';
import { makeAuthority } from '../../support/certificates.ts';
import { atEnd, endAll } from '../../support/endings.ts';
import { listeningOn } from '../../support/listening-on.ts';
import { createManualTime } from '../../support/time.ts';

afterEach(endAll);

const bounds = {
  idleMsMax: 60_000,
  connectMsMax: 10_000,
  connectionsMax: 8,
  codedBytesMax: 1_024,
  decodedBytesMax: 4_096,
};

/** Of a call to `origin` that finds nobody there. */
async function refusal(origin: string): Promise<HoldpointError> {
  const forwarder = createForwarder(bounds, noProxy, createManualTime());
  atEnd(() => forwarder.close());
  const asked = { method: 'GET', path: '/', headers: [], body: bodyOf(Buffer.alloc(0)) };
  const said: unknown = await forwarder
    .send({ ...asked, origin }, () => undefined)
    .catch((error: unknown) => error);
  if (!(said instanceof HoldpointError)) throw new Error(`it was reached: ${said}`);
  return said;
}

/** What Node says of a host where nobody listens at any of these addresses. */
function dialledInVain(addresses: readonly string[]): Promise<Error> {
  const lookup: LookupFunction = (_host, _options, tell) =>
    tell(
      null,
      addresses.map((address) => ({ address, family: 4 })),
    );
  const { promise, resolve } = Promise.withResolvers<Error>();
  createConnection({ host: 'provider.test', port: 1, lookup, autoSelectFamily: true }).once('error', resolve);
  return promise;
}

test('of a host with several addresses each is told that does not answer', async () => {
  const { code, message } = unreachable(await dialledInVain(['127.0.0.1', '127.0.0.2']));
  expect([code, message]).toEqual([
    'upstream_unreachable',
    'The upstream cannot be reached: connect ECONNREFUSED 127.0.0.1:1, connect ECONNREFUSED 127.0.0.2:1.',
  ]);
});

test('a certificate that nobody vouches for is told with the variable that names its authority', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdpoint-unreachable-'));
  atEnd(() => rmSync(directory, { recursive: true }));
  const house = makeAuthority(directory, 'house');
  const names = { subject: '/CN=127.0.0.1', alternativeNames: 'IP:127.0.0.1' };
  const codes: string[] = [];
  for (const credential of [house.issue(names), house.selfSigned('/CN=127.0.0.1')]) {
    const server = await listeningOn(createTlsServer(credential), 'https');
    atEnd(server.close);
    const { message, next } = await refusal(server.url);
    codes.push(
      message.replace(
        'The upstream cannot be reached: nobody whom Holdpoint trusts vouches for its certificate ',
        '',
      ),
    );
    expect(next).toContain('NODE_EXTRA_CA_CERTS');
  }
  expect(codes).toEqual(['(UNABLE_TO_VERIFY_LEAF_SIGNATURE).', '(DEPTH_ZERO_SELF_SIGNED_CERT).']);
});

test('one that speaks no TLS is told with the setting that says it does', async () => {
  const server = await listeningOn(createServer());
  atEnd(server.close);
  const { message, next } = await refusal(server.url.replace('http:', 'https:'));
  expect(message).toBe(
    'The upstream cannot be reached: it does not speak TLS (ERR_SSL_WRONG_VERSION_NUMBER).',
  );
  expect(next).toContain('`url` below `upstreams`');
});

test.each(['EMFILE', 'ENFILE'])(
  'a limit of this machine (%s) is not told as the upstream’s fault',
  (code) => {
    const { message, next } = unreachable(
      Object.assign(new Error(`connect ${code} 127.0.0.1:443`), { code }),
    );
    expect(message).toBe(
      `The upstream cannot be reached: Holdpoint has as many files and connections open as the system lets it (${code}).`,
    );
    expect(next).not.toContain('url');
    expect(next).toContain('ulimit -n');
  },
);
