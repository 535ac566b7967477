/** Whose certificates count while the files of the control port change. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openTlsServer } from '../../../src/control/sign-in/certificates.ts';
import { makeAuthority } from '../../support/certificates.ts';

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
