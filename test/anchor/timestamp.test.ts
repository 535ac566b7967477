/** A time stamp authority as an anchor, against OpenSSL's: `openssl ts` stamps, and `openssl ts -verify` judges. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openTimestampAnchor } from '../../src/anchor/timestamp.ts';
import { encodeTimestampRequest, readTimestampAnswer } from '../../src/anchor/timestamp-message.ts';
import { sha256 } from '../../src/core/bytes.ts';
import { systemRandom } from '../../src/core/clock.ts';
import { noProxy } from '../../src/core/egress.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { endAll } from '../support/endings.ts';
import { startTestSidecar } from '../support/sidecar.ts';
import { call, codesOf, upstreams } from './scene.ts';

const isThere = spawnSync('openssl', ['version']).status === 0;
if (!isThere) process.stderr.write('time stamps: not tried, openssl missing\n');

/** An authority in a folder: a certificate for time stamping and nothing else, and `openssl ts` behind HTTP. */
interface Authority {
  readonly url: string;
  readonly certificate: string;
  /** What is done to an answer on its way. */
  spoil: (answer: Buffer) => Buffer;
  status: number;
  readonly server: Server;
}

async function makeAuthority(folder: string): Promise<Authority> {
  const at = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  };
  writeFileSync(
    at('openssl.cnf'),
    `[req]\ndistinguished_name = dn\nx509_extensions = ext\nprompt = no\n[dn]\nCN = Test authority\n[ext]\nextendedKeyUsage = critical,timeStamping\n` +
      `[tsa]\ndefault_tsa = t\n[t]\nserial = ${at('serial')}\nsigner_cert = ${at('tsa.pem')}\nsigner_key = ${at('tsa.key')}\nsigner_digest = sha256\n` +
      'default_policy = 1.2.3.4.1\ndigests = sha256\naccuracy = secs:1\nordering = yes\n',
  );
  writeFileSync(at('serial'), '01\n');
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'tsa.key',
    '-out',
    'tsa.pem',
    '-days',
    '2',
    '-config',
    'openssl.cnf',
  );
  const authority = { spoil: (answer: Buffer) => answer, status: 200 };
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      writeFileSync(at('request.tsq'), Buffer.concat(chunks));
      openssl(
        'ts',
        '-reply',
        '-config',
        'openssl.cnf',
        '-section',
        't',
        '-queryfile',
        'request.tsq',
        '-out',
        'answer.tsr',
      );
      res.writeHead(authority.status, { 'content-type': 'application/timestamp-reply' });
      res.end(authority.spoil(readFileSync(at('answer.tsr'))));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return Object.assign(authority, {
    server,
    url: `http://127.0.0.1:${port}/tsr`,
    certificate: at('tsa.pem'),
  });
}

describe.skipIf(!isThere)('a time stamp authority', () => {
  let folder: string;
  let authority: Authority;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'holdpoint-tsa-'));
    authority = await makeAuthority(folder);
  });
  afterEach(async () => {
    authority.spoil = (answer) => answer;
    authority.status = 200;
    await endAll();
  });
  afterAll(async () => {
    await new Promise((resolve) => authority.server.close(resolve));
    rmSync(folder, { recursive: true });
  });

  const opensslSays = (data: string, answer: string) =>
    spawnSync('openssl', ['ts', '-verify', '-data', data, '-in', answer, '-CAfile', authority.certificate], {
      encoding: 'utf8',
    });
  const note = Buffer.from('holdpoint/0\n1\nroot\n');
  const send = () => {
    const anchor = openTimestampAnchor({
      name: 'notary',
      url: authority.url,
      random: systemRandom,
      egress: noProxy,
    });
    const checkpoint = { origin: 'holdpoint/0', size: 1, root: Buffer.alloc(32), note };
    return anchor.send(checkpoint, 0, new AbortController().signal);
  };

  it('stamps the last checkpoint so that OpenSSL verifies the files beside the ledger', async () => {
    const anchors = { everyMs: 60_000, to: { notary: { kind: 'timestamp', url: authority.url } } };
    const sidecar = await startTestSidecar({ upstreams: await upstreams(), anchors });
    await call(sidecar.proxyUrl);
    await sidecar.stop();
    const { dataDir } = sidecar.place;
    const kept = join(dataDir, 'anchors', 'notary.checkpoint');
    const answer = join(dataDir, 'anchors', 'notary.tsr');
    expect(opensslSays(kept, answer).stdout).toContain('Verification: OK');
    // What OpenSSL vouched for is a checkpoint that an auditor may keep.
    const verdict = await verifyDirectory(dataDir, { checkpoint: kept });
    expect([verdict.assurance, codesOf(verdict)]).toEqual(['ANCHORED', []]);
    expect(verdict.covered.anchoredSize).toBe(verdict.size);
  });

  it('whose stamp is over another note is not believed by OpenSSL either', async () => {
    const { files } = await send();
    writeFileSync(join(folder, 'stamp.tsr'), files[0]?.bytes ?? '');
    writeFileSync(join(folder, 'same'), note);
    writeFileSync(join(folder, 'other'), 'holdpoint/0\n2\nroot\n');
    expect(opensslSays(join(folder, 'same'), join(folder, 'stamp.tsr')).status).toBe(0);
    expect(opensslSays(join(folder, 'other'), join(folder, 'stamp.tsr')).status).not.toBe(0);
  });

  it('asks as OpenSSL reads it: SHA-256, a nonce, and the certificate', () => {
    const query = join(folder, 'query.tsq');
    writeFileSync(query, encodeTimestampRequest(sha256(note), Buffer.from('00ff', 'hex')));
    const text = execFileSync('openssl', ['ts', '-query', '-in', query, '-text'], { encoding: 'utf8' });
    expect(text).toContain('Hash Algorithm: sha256');
    expect(text).toContain('Nonce: 0xFF');
    expect(text).toContain('Certificate required: yes');
  });

  it('is refused an answer to another request', async () => {
    const earlier: Buffer[] = [];
    authority.spoil = (answer) => {
      earlier.push(answer);
      return answer;
    };
    await send();
    authority.spoil = () => earlier[0] ?? Buffer.alloc(0);
    await expect(send()).rejects.toThrow(/something else than was asked for/);
  });

  it.each([
    ['a refusal', (_answer: Buffer) => Buffer.from('30053003020102', 'hex'), /refused with status 2/],
    ['nothing', () => Buffer.alloc(0), /no time stamp/],
    ['half of it', (answer: Buffer) => answer.subarray(0, 200), /no time stamp/],
    ['too much', () => Buffer.alloc(64 * 1024), /longer than/],
  ])('that answers with %s failed', async (_what, spoil, message) => {
    authority.spoil = spoil;
    await expect(send()).rejects.toMatchObject({
      code: 'anchor_failed',
      message: expect.stringMatching(message),
    });
  });

  it('that answers with 500 failed', async () => {
    authority.status = 500;
    await expect(send()).rejects.toMatchObject({ code: 'anchor_failed' });
  });

  it('is read without a fault, whatever bit of its answer is flipped', async () => {
    const { files } = await send();
    const whole = files[0]?.bytes ?? Buffer.alloc(0);
    for (let bit = 0; bit < whole.length * 8; bit += 7) {
      const spoilt = Buffer.from(whole);
      const at = Math.floor(bit / 8);
      spoilt.writeUInt8(spoilt.readUInt8(at) ^ (1 << (bit % 8)), at);
      expect(() => readTimestampAnswer(spoilt)).not.toThrow();
    }
  });
});

describe('any bytes', () => {
  it('are no time stamp, and never thrown at', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const read = readTimestampAnswer(Buffer.from(bytes));
        expect(read === null || read.status > 1).toBe(true);
      }),
    );
  });
});
