/** The local authority on disk: what is made, what is kept, who may read it, and which hosts clients accept it for. */
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemRandom } from '../../../src/core/clock.ts';
import { openAuthority, readAuthorityCertificate } from '../../../src/store/ca.ts';
import { makeAuthorityCertificate, makeHostCertificate } from '../../../src/store/certificate.ts';
import { atEnd, endAll } from '../../support/endings.ts';

const dayMs = 86_400_000;
const startMs = Date.parse('2026-11-23T04:00:00Z');
let dir: string;
let nowMs: number;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'holdpoint-ca-'));
  atEnd(() => rmSync(dir, { recursive: true }));
  nowMs = startMs;
});
afterEach(endAll);

const keyFile = (): string => join(dir, 'keys/ca.key');
const certificateFile = (): string => join(dir, 'ca.pem');
const modeOf = (file: string): number => statSync(file).mode & 0o777;

function open(hosts: readonly string[] = ['api.openai.com']) {
  return openAuthority({
    keyFile: keyFile(),
    certificateFile: certificateFile(),
    hosts,
    nowMs: () => nowMs,
    random: systemRandom,
  });
}

/** A certificate over a key of its own. */
function authorityOf(name: string): string {
  return makeAuthorityCertificate({
    key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    name,
    hosts: ['api.openai.com'],
    serial: Buffer.of(1),
    fromMs: nowMs - dayMs,
    untilMs: nowMs + 3650 * dayMs,
  });
}

describe('on disk', () => {
  test('the key is its owner’s alone, and the certificate everybody’s, whatever the umask', () => {
    const umask = process.umask(0o077);
    try {
      open();
    } finally {
      process.umask(umask);
    }
    expect([modeOf(keyFile()), modeOf(join(dir, 'keys')), modeOf(certificateFile())]).toEqual([
      0o600, 0o700, 0o644,
    ]);
  });

  test('a later start with the same hosts, in any order, gives the same certificate', () => {
    const first = open(['a.test', 'b.test']).certificate;
    expect(open(['b.test', 'a.test']).certificate).toBe(first);
    expect(readAuthorityCertificate(certificateFile())).toBe(first);
  });

  test('other hosts make another certificate over the same key', () => {
    const before = new X509Certificate(open(['a.test']).certificate);
    const after = new X509Certificate(open(['a.test', 'b.test']).certificate);
    expect(after.serialNumber).not.toBe(before.serialNumber);
    expect(after.publicKey.equals(before.publicKey)).toBe(true);
  });

  test.each([
    { when: 'that is about to run out', passedMs: 3600 * dayMs },
    { when: 'from the future, of a clock that jumped back', passedMs: -10 * dayMs },
  ])('a certificate $when is made anew', ({ passedMs }) => {
    const first = open().certificate;
    nowMs += passedMs;
    expect(open().certificate).not.toBe(first);
  });

  test('a certificate that others put there, over another key or over none, is replaced', () => {
    const own = new X509Certificate(open().certificate);
    for (const planted of [authorityOf('Holdpoint local authority'), '']) {
      writeFileSync(certificateFile(), planted);
      expect(new X509Certificate(open().certificate).publicKey.equals(own.publicKey)).toBe(true);
    }
  });

  test.each([
    { what: 'another file', textOf: () => 'version: "1"\nrules: []\n' },
    { what: 'a bundle of authorities', textOf: (certificate: string) => certificate + certificate },
    { what: 'the authority of somebody else', textOf: () => authorityOf('Example Root') },
  ])('$what that was named for the certificate is refused, not overwritten', ({ textOf }) => {
    const text = textOf(open(['a.test']).certificate);
    writeFileSync(certificateFile(), text);
    expect(() => open(['b.test'])).toThrow(expect.objectContaining({ code: 'config_invalid' }));
    expect(readFileSync(certificateFile(), 'utf8')).toBe(text);
  });

  test.each([
    { what: 'no key', text: 'nothing', says: /is not a private key on P-256/ },
    {
      what: 'a key of another kind',
      text: generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }),
      says: /is not a private key on P-256/,
    },
  ])('a key file with $what is refused, not overwritten', ({ text, says }) => {
    open();
    writeFileSync(keyFile(), text);
    expect(() => open()).toThrow(says);
    expect(readFileSync(keyFile(), 'utf8')).toBe(text);
  });

  test('a directory that cannot be written is refused with what to put there', () => {
    writeFileSync(join(dir, 'keys'), 'a file');
    expect(() => open()).toThrow(expect.objectContaining({ code: 'config_invalid' }));
    expect(() => open()).toThrow(
      expect.objectContaining({ next: expect.stringContaining('openssl genpkey') }),
    );
  });

  test('what others wrote beside the certificate is not printed', () => {
    const { certificate } = open();
    writeFileSync(certificateFile(), `\u001b[2J\n${certificate}more`);
    expect(readAuthorityCertificate(certificateFile())).toBe(certificate);
    writeFileSync(certificateFile(), 'nothing');
    expect(() => readAuthorityCertificate(certificateFile())).toThrow(/is not a certificate in PEM/);
  });

  test('a certificate that is not there yet is said so', () => {
    expect(() => readAuthorityCertificate(certificateFile())).toThrow(/There is no certificate/);
  });
});

describe('what it issues', () => {
  test('is for one host, short-lived, by the authority, and only for servers', () => {
    const authority = open();
    const issuer = new X509Certificate(authority.certificate);
    const issued = new X509Certificate(authority.issue('api.openai.com').certificate);
    expect(issuer.ca).toBe(true);
    expect(issued.ca).toBe(false);
    expect(issued.verify(issuer.publicKey) && issued.checkIssued(issuer)).toBe(true);
    expect(issued.subjectAltName).toBe('DNS:api.openai.com');
    expect(issued.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(Date.parse(issued.validTo) - nowMs).toBe(7 * dayMs);
  });

  test('is never for a host that is not configured', () => {
    const authority = open(['api.openai.com']);
    for (const host of ['evil.test', 'sub.api.openai.com', 'openai.com', '127.0.0.1', '*'])
      expect(() => authority.issue(host), host).toThrow(RangeError);
  });

  test('has a serial number of its own each time', () => {
    const authority = open();
    const serials = Array.from(
      { length: 20 },
      () => new X509Certificate(authority.issue('api.openai.com').certificate).serialNumber,
    );
    expect(new Set(serials).size).toBe(20);
  });
});

describe('clients that trust the authority', () => {
  /** Resolves with the error of a TLS client, '' when it accepts the certificate. */
  async function accept(host: string, constrainedTo: readonly string[]): Promise<string> {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const times = { fromMs: Date.now() - dayMs, untilMs: Date.now() + dayMs };
    const name = 'Test authority';
    const ca = makeAuthorityCertificate({
      key: privateKey,
      name,
      hosts: constrainedTo,
      serial: Buffer.of(1),
      ...times,
    });
    const cert = makeHostCertificate({
      host,
      publicKey,
      issuerKey: privateKey,
      issuerName: name,
      serial: Buffer.of(2),
      ...times,
    });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
    const server = createServer({ key, cert });
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    atEnd(() => {
      server.close();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const isName = !/^[\d.]+$|:/.test(host);
    const { promise, resolve } = Promise.withResolvers<string>();
    const socket = connect({ port, host: '127.0.0.1', ca, ...(isName ? { servername: host } : {}) });
    socket.once('secureConnect', () => resolve(''));
    socket.once('error', (error) => resolve(error.message));
    const result = await promise;
    socket.destroy();
    return result;
  }

  test('accept it for a configured name, and for a configured address', async () => {
    expect(await accept('api.openai.com', ['api.openai.com', 'api.anthropic.com'])).toBe('');
    expect(await accept('127.0.0.1', ['127.0.0.1'])).toBe('');
  });

  test.each([
    { host: 'bank.test', hosts: ['api.openai.com'] },
    { host: 'openai.com', hosts: ['api.openai.com'] },
    { host: '127.0.0.1', hosts: ['api.openai.com'] },
    { host: '127.0.0.1', hosts: ['api.openai.com', '10.0.0.1'] },
    { host: 'bank.test', hosts: ['127.0.0.1'] },
  ])(
    'refuse a certificate for $host, stolen key or not, when it is good for $hosts',
    async ({ host, hosts }) => {
      expect(await accept(host, hosts)).toMatch(/subtree violation/);
    },
  );
});

test('every certificate that is written can be read back by OpenSSL as it was meant', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/);
  // Four labels of digits are an address, and a certificate names it as one.
  const hosts = fc
    .array(label, { minLength: 1, maxLength: 4 })
    .map((labels) => labels.join('.'))
    .filter((host) => isIP(host) === 0);
  const ms = fc.integer({ min: 0, max: Date.parse('2100-01-01T00:00:00Z') / 1000 }).map((s) => s * 1000);
  const serial = fc.uint8Array({ minLength: 1, maxLength: 20 }).filter((bytes) => bytes.some((b) => b > 0));
  fc.assert(
    fc.property(hosts, ms, ms, serial, (host, fromMs, untilMs, bytes) => {
      const pem = makeHostCertificate({
        host,
        publicKey,
        issuerKey: privateKey,
        issuerName: 'Test',
        serial: Buffer.from(bytes),
        fromMs,
        untilMs,
      });
      const read = new X509Certificate(pem);
      expect(read.verify(publicKey)).toBe(true);
      expect(read.checkHost(host)).toBe(host);
      expect([Date.parse(read.validFrom), Date.parse(read.validTo)]).toEqual([fromMs, untilMs]);
      expect(BigInt(`0x${read.serialNumber}`)).toBe(BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
    }),
    { numRuns: 60 },
  );
});

test('every IPv6 host is written as the address it is', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  fc.assert(
    fc.property(fc.ipV6(), (host) => {
      const fromMs = startMs;
      const options = { issuerKey: privateKey, issuerName: 'Test', serial: Buffer.of(1), fromMs };
      const pem = makeHostCertificate({ host, publicKey, untilMs: startMs + dayMs, ...options });
      expect(new X509Certificate(pem).checkIP(host)).toBe(host);
    }),
    { numRuns: 60 },
  );
});
