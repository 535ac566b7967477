/** The name in a ClientHello: as real clients send it, cut anywhere, and as no honest client would. */
import { connect, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { helloBytesMax, readHello } from '../../../src/proxy/intercept/client-hello.ts';
import {
  encryptedHello,
  helloWith,
  inRecords,
  messageWith,
  nameEntry,
  sni,
} from '../../support/client-hello.ts';
import { atEnd, endAll } from '../../support/endings.ts';

/** The first bytes that Node's own client sends. */
async function helloOf(options: { servername?: string; ALPNProtocols?: string[] }): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const server = createServer((socket) => socket.once('data', resolve).on('error', () => socket.destroy()));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const client = connectTls({ socket: connect(port, '127.0.0.1'), ...options });
  client.on('error', () => client.destroy());
  atEnd(() => {
    client.destroy();
    server.close();
  });
  return promise;
}

let real: Buffer;
beforeAll(async () => {
  real = await helloOf({ servername: 'api.openai.com', ALPNProtocols: ['h2', 'http/1.1'] });
});
afterAll(endAll);

test('a real client’s name is read', () => {
  expect(readHello(real)).toEqual({ state: 'hello', name: 'api.openai.com', mayHideName: false });
});

test('a real client that names nobody is told from one that is cut off', async () => {
  expect(readHello(await helloOf({}))).toEqual({ state: 'hello', name: null, mayHideName: false });
});

test('nothing is decided before the message is whole, wherever it is cut', () => {
  for (let bytes = 0; bytes < real.length; bytes += 1)
    expect(readHello(real.subarray(0, bytes)), String(bytes)).toEqual({ state: 'more' });
});

test('a message that is spread over many records, of any size, is read as one', () => {
  const message = real.subarray(5);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: message.length }), (bytesEach) => {
      expect(readHello(inRecords(message, bytesEach))).toMatchObject({ name: 'api.openai.com' });
    }),
    { numRuns: 30 },
  );
});

test.each([
  ['a record of another kind', Buffer.of(20, 3, 3, 0, 1, 1)],
  ['a record of no version that there is', Buffer.of(22, 255, 3, 0, 1, 1)],
  ['a record that is too long', Buffer.of(22, 3, 1, 0xff, 0xff)],
])('what follows the message decides nothing, such as %s', (_, bytes) => {
  expect(readHello(Buffer.concat([real, bytes]))).toMatchObject({ state: 'hello', name: 'api.openai.com' });
});

test('a message without extensions names nobody', () => {
  expect(readHello(helloWith(null))).toEqual({ state: 'hello', name: null, mayHideName: false });
});

test('one with an encrypted ClientHello may mean another host than it names', () => {
  const hello = helloWith([sni(nameEntry('example.com')), encryptedHello]);
  expect(readHello(hello)).toEqual({ state: 'hello', name: 'example.com', mayHideName: true });
});

describe('is no ClientHello that anybody may act on:', () => {
  test.each([
    {
      what: 'two server names in one extension',
      bytes: () => helloWith([sni(nameEntry('a'), nameEntry('b'))]),
    },
    {
      what: 'two server name extensions',
      bytes: () => helloWith([sni(nameEntry('a')), sni(nameEntry('b'))]),
    },
    { what: 'a name of an unknown type', bytes: () => helloWith([sni(nameEntry('a', 1))]) },
    { what: 'an empty list of names', bytes: () => helloWith([sni()]) },
    {
      what: 'bytes after the extensions',
      bytes: () => {
        const message = messageWith([sni(nameEntry('a'))]);
        message.writeUIntBE(message.length - 4 + 1, 1, 3);
        return inRecords(Buffer.concat([message, Buffer.of(0)]), 16_000);
      },
    },
    { what: 'a server’s message', bytes: () => inRecords(Buffer.of(2, 0, 0, 1, 0), 16_000) },
    { what: 'plain HTTP', bytes: () => Buffer.from('GET / HTTP/1.1\r\n\r\n') },
    { what: 'SSH', bytes: () => Buffer.from('SSH-2.0-OpenSSH_9.2\r\n') },
    { what: 'a record of length 0', bytes: () => Buffer.of(22, 3, 1, 0, 0) },
    { what: 'a record that is too long', bytes: () => Buffer.of(22, 3, 1, 0xff, 0xff) },
    {
      what: 'a message that announces more than is waited for',
      bytes: () => Buffer.of(22, 3, 1, 0, 4, 1, 0xff, 0, 0),
    },
  ])('$what', ({ bytes }) => {
    expect(readHello(bytes())).toEqual({ state: 'invalid' });
  });
});

test('endless tiny records are given up', () => {
  const message = Buffer.concat([Buffer.of(1, 0, 0x3f, 0xff), Buffer.alloc(0x3fff)]);
  const bytes = inRecords(message, 1).subarray(0, helloBytesMax + 10);
  expect(readHello(bytes)).toEqual({ state: 'invalid' });
});

test('no bytes make it throw, and no changed byte makes it read beyond them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 511 }), (noise, at) => {
      readHello(Buffer.from(noise));
      const changed = Buffer.from(real);
      changed[at % changed.length] = noise[0] ?? 0;
      readHello(changed);
    }),
  );
});

test('an encrypted ClientHello is told wherever it stands among the extensions', () => {
  const name = sni(nameEntry('a.test'));
  for (const extensions of [
    [name, encryptedHello],
    [encryptedHello, name],
  ])
    expect(readHello(helloWith(extensions))).toEqual({ state: 'hello', name: 'a.test', mayHideName: true });
});

describe('what is no ClientHello is known at once:', () => {
  const message = messageWith([sni(nameEntry('a.test'))]);
  test.each([
    ['another handshake message', inRecords(Buffer.concat([Buffer.of(2), message.subarray(1)]), 16_000)],
    ['a record of another version', Buffer.concat([Buffer.of(22, 2), helloWith([]).subarray(2)])],
    [
      'another record amid the message',
      Buffer.concat([inRecords(message.subarray(0, 9), 9), Buffer.of(23, 3, 3, 0, 1, 0)]),
    ],
  ])('%s', (_what, bytes) => {
    expect(readHello(bytes)).toEqual({ state: 'invalid' });
  });
});
