/** What comes before and around bodies: TLS greetings, forms, content codings, stored messages, host names. */
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { decodeContent } from '../../../src/core/content-coding.ts';
import {
  decodeHttpMessage,
  encodeHttpMessage,
  targetWithoutSecrets,
  withoutSecrets,
} from '../../../src/core/http-message.ts';
import { plainBoundaryOf, readForm } from '../../../src/provider/reading/multipart.ts';
import { helloBytesMax, readHello } from '../../../src/proxy/intercept/client-hello.ts';
import { openOutline } from '../../../src/proxy/multipart-outline.ts';
import { constraintsTo, makeHostCertificate } from '../../../src/store/certificate.ts';
import { must, type Target, unless } from '../target.ts';
import { piecesOf, readMessage, writeMessage } from './message.ts';
import { forms } from './seeds.ts';

const bounds = { inputBytesMax: 65_536, usPerByteMax: 10 };

const u16 = (value: number) => Buffer.of(value >> 8, value & 0xff);
const vector16 = (bytes: Buffer) => Buffer.concat([u16(bytes.length), bytes]);

function helloFor(name: string): Buffer {
  const entry = Buffer.concat([Buffer.of(0), vector16(Buffer.from(name))]);
  const extensions = Buffer.concat([
    u16(0),
    vector16(vector16(entry)),
    u16(43),
    vector16(Buffer.of(2, 3, 4)),
  ]);
  const body = Buffer.concat([
    ...[u16(0x303), Buffer.alloc(32, 7), Buffer.of(0), vector16(u16(0x1301)), Buffer.of(1, 0)],
    vector16(extensions),
  ]);
  const message = Buffer.concat([Buffer.of(1, 0), u16(body.length), body]);
  return Buffer.concat([Buffer.of(22, 3, 1), vector16(message)]);
}

const hello: Target = {
  ...bounds,
  name: 'wire-client-hello',
  inputBytesMax: helloBytesMax + 64,
  seeds: () => [helloFor('api.openai.com'), helloFor('a'), helloFor('')],
  run(input) {
    const whole = readHello(input);
    must(
      whole.state !== 'more' || input.length < helloBytesMax,
      'more is waited for than a greeting may have',
    );
    // Bytes arrive in any pieces: what was decided on fewer stays decided.
    for (const length of [1, 5, input.length >> 1, input.length - 1]) {
      const early = readHello(input.subarray(0, Math.max(0, length)));
      if (early.state === 'more') continue;
      must(early.state === whole.state, 'what was decided changes with more bytes');
      if (early.state === 'hello' && whole.state === 'hello')
        must(early.name === whole.name, 'the name changes with more bytes');
    }
  },
};

const form: Target = {
  ...bounds,
  name: 'wire-multipart',
  seeds: () =>
    forms.map((body) =>
      writeMessage({
        method: 'POST',
        path: '/',
        status: 200,
        contentType: 'multipart/form-data;boundary=b',
        body: Buffer.from(body),
      }),
    ),
  run(input) {
    const message = readMessage(input);
    const { contentType, body } = message;
    const { parts, defects } = readForm(contentType, body);
    const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
    must(total <= body.length, 'the parts are longer than the form');
    const boundary = plainBoundaryOf(contentType);
    if (boundary === null) return;
    const outline = openOutline(boundary, body.length + 64);
    for (const piece of piecesOf(message)) outline.push(piece);
    const kept = outline.finish();
    if (defects.length > 0 || kept === null) return;
    // No file is long enough to be cut short here, so the outline is the form.
    must(kept.equals(body), 'the outline of a readable form differs from it');
  },
};

const codings = ['gzip', 'br', 'zstd', 'deflate', 'gzip,br', 'identity', 'x-gzip', 'x'];
const packed = Buffer.from('{"choices":[]}'.repeat(20));
const decodedBytesMax = 100_000;

const coding: Target = {
  ...bounds,
  name: 'wire-content-coding',
  seeds: () =>
    [gzipSync, brotliCompressSync, zstdCompressSync, deflateSync, deflateRawSync].map((pack, i) =>
      Buffer.concat([Buffer.of(Math.min(i, 3)), pack(packed)]),
    ),
  run(input) {
    const name = codings[(input[0] ?? 0) % codings.length] ?? '';
    const body = input.subarray(1);
    const plain = unless(
      // Whoever calls it takes any error for content that cannot be read.
      (error) => error instanceof Error && !(error instanceof TypeError && /undefined/.test(error.message)),
      () => decodeContent(name, body, decodedBytesMax),
    );
    must(
      plain === null || plain.length <= Math.max(decodedBytesMax, body.length),
      'more is unpacked than allowed',
    );
  },
};

const stored: Target = {
  ...bounds,
  name: 'wire-http-message',
  seeds: () => [
    Buffer.from('POST /v1/x?key=secret&a=b HTTP/1.1\r\nAuthorization: Bearer s\r\nA: b\r\n\r\n{"a":1}'),
    Buffer.from('HTTP/1.1 200 OK\r\n\r\n'),
  ],
  run(input) {
    const message = unless(
      (error) => error instanceof RangeError,
      () => decodeHttpMessage(input),
    );
    if (message === null) return;
    must(encodeHttpMessage(message).equals(input), 'a stored message is written another way');
    const safe = withoutSecrets(message.headers);
    must(safe.length === message.headers.length, 'a header is lost');
    const [, target = ''] = message.startLine.split(' ');
    const bare = targetWithoutSecrets(target);
    must(targetWithoutSecrets(bare) === bare, 'a target without secrets has some');
  },
};

const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** Walks DER: every length fits its content exactly. */
function isDer(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] ?? 0;
    const short = bytes[at + 1] ?? 0xff;
    const more = short < 0x80 ? 0 : short & 0x7f;
    if (more > 4 || at + 2 + more > bytes.length) return false;
    const length = more === 0 ? short : bytes.readUIntBE(at + 2, more);
    const start = at + 2 + more;
    if (start + length > bytes.length) return false;
    if ((tag & 0x20) !== 0 && !isDer(bytes.subarray(start, start + length))) return false;
    at = start + length;
  }
  return true;
}

const certificate: Target = {
  ...bounds,
  inputBytesMax: 300,
  name: 'wire-certificate',
  seeds: () =>
    ['api.openai.com', '10.0.0.1', '::1', '::ffff:1.2.3.4', '*.a'].map((host) => Buffer.from(host)),
  run(input) {
    const host = input.toString('latin1');
    // What the configuration lets through as a host.
    if (!/^[a-z0-9.:*-]{1,253}$/.test(host)) return;
    must(isDer(constraintsTo([host])), 'the name constraints are no DER');
    const pem = makeHostCertificate({
      host,
      publicKey: createPublicKey(authority.privateKey),
      issuerKey: authority.privateKey,
      issuerName: 'a',
      serial: Buffer.alloc(16, 1),
      fromMs: 0,
      untilMs: 86_400_000,
    });
    const read = new X509Certificate(pem);
    must(isDer(read.raw), 'the certificate is no DER');
    must(read.verify(createPublicKey(authority.privateKey)), 'the certificate is not signed by its issuer');
  },
};

export const targets: readonly Target[] = [hello, form, coding, stored, certificate];
