/** What the start says of the files and secrets by which people are let in to the control port, and told of holds. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { openTlsServer } from '../../../src/control/sign-in/certificates.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { noProxy } from '../../../src/core/egress.ts';
import { signInOf } from '../../../src/sign-in.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdpoint-start-'));
const file = (name: string): string => join(directory, name);
beforeAll(() => {
  execFileSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-keyout', file('tls.key'), '-out', file('tls.crt'), '-subj', '/CN=localhost', '-days', '30'],
  ]);
  writeFileSync(file('prose'), 'no certificate');
});
afterAll(() => rmSync(directory, { recursive: true }));

function start(control: object): unknown {
  writeFileSync(file('h.yaml'), JSON.stringify({ control }));
  return signInOf(loadConfig(file('h.yaml'), {}), {}, noProxy, systemClock);
}
const tls = (other: object) => ({ tls: { cert: file('tls.crt'), key: file('tls.key'), ...other } });
const clients = [{ commonName: 'ops', role: 'admin' }];
const oidc = (caFile: string) => ({
  signIn: {
    oidc: {
      issuer: 'https://id.example',
      clientId: 'x',
      caFile: file(caFile),
      roles: [{ group: 'g', role: 'viewer' }],
    },
  },
});

describe('a file of control.tls or control.signIn.oidc', () => {
  it.each([
    ['that is not there', tls({ cert: file('none') }), `cert: ${file('none')} cannot be read: no such file`],
    ['that is a directory', tls({ key: directory }), `key: ${directory} cannot be read: illegal operation`],
    ['that holds no PEM', tls({ cert: file('prose') }), `cert: ${file('prose')} holds no PEM`],
    [
      'that is to hold authorities and holds a key',
      tls({ clientCa: file('tls.key'), clients }),
      `clientCa: ${file('tls.key')} holds no certificate`,
    ],
    [
      'that is to hold the provider’s authorities and holds none',
      oidc('tls.key'),
      `caFile: ${file('tls.key')} holds no certificate`,
    ],
  ])('%s is named, with what is wrong with it', (_what, control, said) => {
    expect(() => start(control)).toThrow(said);
  });

  it('is taken where it has what it should', () => {
    expect(() => start({ ...tls({ clientCa: file('tls.crt'), clients }), ...oidc('tls.crt') })).not.toThrow();
  });
});

it('files of control.tls that change to what OpenSSL does not take are told as what they are', () => {
  const told: unknown[] = [];
  let key = readFileSync(file('tls.key'), 'utf8');
  const cert = readFileSync(file('tls.crt'), 'utf8');
  const server = openTlsServer(
    { cert: () => cert, key: () => key, clientCa: null, clients: [] },
    {},
    (_req, res) => res.end(),
    (_what, error) => told.push(error),
  );
  key = cert;
  server.refresh();
  expect(told).toMatchObject([
    { code: 'config_invalid', next: 'Check that cert, key and clientCa are PEM and belong together.' },
  ]);
});
