/** Whose certificates count while the files of the control port change. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, expect, it } from 'vitest';
import { certificateHolder, openTlsServer } from '../../../src/control/sign-in/certificates.ts';
import { makeAuthority } from '../../support/certificates.ts';
import { listeningOn } from '../../support/listening-on.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdpoint-certificate-files-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** The files of a control port, with a certificate of its own that changes. */
function stage() {
  const servers = makeAuthority(directory, 'servers');
  const own = servers.issue({ subject: '/CN=localhost' });
  const people = makeAuthority(directory, 'people').certificate;
  let cert: string | null = own.cert;
  const errors: unknown[] = [];
  const { refresh, takesClients } = openTlsServer(
    { cert: () => cert, key: () => own.key, clientCa: () => people, clients: [] },
    {},
    () => undefined,
    (_what, error) => errors.push(error),
  );
  const takesWith = (text: string | null): boolean => {
    cert = text;
    refresh();
    return takesClients();
  };
  return { good: own.cert, wrong: servers.issue({ subject: '/CN=other' }).cert, takesWith, errors };
}

it('certificates count for nobody each time that the files are gone or do not belong together', () => {
  const { good, wrong, takesWith, errors } = stage();
  const files = [good, wrong, wrong, good, wrong, null, wrong, good];
  expect(files.map(takesWith)).toEqual(files.map((file) => file === good));
  // Told once of each.
  expect(errors).toHaveLength(3);
});

it('a certificate counts while its time lasts, however long its connection does', async () => {
  const server = makeAuthority(directory, 'servers').issue({ subject: '/CN=localhost' });
  const people = makeAuthority(directory, 'people');
  const found = Promise.withResolvers<readonly unknown[]>();
  const dayMs = 86_400_000;
  const tls = openTlsServer(
    { cert: () => server.cert, key: () => server.key, clientCa: () => people.certificate, clients: [] },
    {},
    (req, res) => {
      const mapping = [{ commonName: 'ops', role: 'admin' }];
      const at = (ms: number) =>
        certificateHolder(req, mapping, { nowMs: () => Date.now() + ms, monoUs: () => 0 });
      found.resolve([-dayMs, 0, 2 * dayMs].map((ms) => at(ms)?.caller ?? null));
      res.end();
    },
    () => undefined,
  );
  const { url, close } = await listeningOn(tls.server, 'https');
  const socket = connect({
    port: Number(new URL(url).port),
    rejectUnauthorized: false,
    ...people.issue({ subject: '/CN=ops' }),
  });
  socket.end('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  expect(await found.promise).toEqual([null, { name: 'certificate:cn=ops', role: 'admin' }, null]);
  socket.destroy();
  await close();
});

it('other authorities end what those before let in', async () => {
  const server = makeAuthority(directory, 'servers').issue({ subject: '/CN=localhost' });
  const people = makeAuthority(directory, 'people');
  let authorities = people.certificate;
  const tls = openTlsServer(
    { cert: () => server.cert, key: () => server.key, clientCa: () => authorities, clients: [] },
    {},
    () => undefined,
    () => undefined,
  );
  const { url, close } = await listeningOn(tls.server, 'https');
  const own = people.issue({ subject: '/CN=ops' });
  const socket = connect({ port: Number(new URL(url).port), rejectUnauthorized: false, ...own });
  await once(socket, 'secureConnect');
  tls.refresh();
  expect(socket.destroyed).toBe(false);
  const ended = once(
    socket.resume().on('error', () => undefined),
    'close',
  );
  authorities = makeAuthority(directory, 'next-people').certificate;
  tls.refresh();
  await ended;
  await close();
});
