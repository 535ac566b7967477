/** HTTP messages as they are stored, shown and sent on: whole, without credentials, and without what stays on one hop. */
import { describe, expect, it } from 'vitest';
import {
  bodyFieldDoubt,
  connectionNames,
  decodeHttpMessage,
  encodeHttpMessage,
  endToEndHeaders,
  endToEndTrailers,
  lacksHost,
  removedValue,
  splitTrailers,
  targetWithoutSecrets,
  valuesOf,
  wholeBodyHeader,
  withoutSecrets,
  withoutValueOf,
  withSecretsOf,
} from '../../../src/core/http-message.ts';

const startLine = 'HTTP/1.1 200 OK';
const body = Buffer.from([0, 13, 10, 13, 10, 255]);

describe('a stored message', () => {
  it('is read back with every field and byte, those above 0x7f too', () => {
    const message = { startLine, headers: ['X-Name', 'J\xfcrg: x', 'x-name', '', 'B', 'c'], body };
    expect(decodeHttpMessage(encodeHttpMessage(message))).toEqual(message);
  });

  it('is none without an end of its headers, or with a line that is no field', () => {
    expect(() => decodeHttpMessage(Buffer.from(`${startLine}\r\nA: b\r\n`))).toThrow(RangeError);
    expect(() => decodeHttpMessage(Buffer.from(`${startLine}\r\nA:b\r\n\r\n`))).toThrow(RangeError);
  });
});

describe('what carries a credential', () => {
  const secret = [
    ...['Authorization', 'Proxy-Authorization', 'Cookie', 'Set-Cookie', 'X-Api-Key', 'api-key'],
    ...['x-goog-api-key', 'X-Goog-Upload-URL', 'X-Goog-Upload-Control-URL', 'Ocp-Apim-Subscription-Key'],
    ...[
      'X-Auth-Token',
      'X-Access-Token',
      'CF-Access-Client-Secret',
      'CF-Access-Token',
      'X-Amz-Security-Token',
    ],
    ...['X-Amz-Content-Sha256', 'Sec-WebSocket-Protocol', 'OpenAI-Ephemeral-User-Id'],
    ...[
      'Helicone-Auth',
      'X-Portkey-Virtual-Key',
      'X-Portkey-Api-Key',
      'cf-aig-authorization',
      'x-vendor-apikey',
    ],
    ...['x-vendor-access-key', 'x-vendor-access-key-id', 'x-vendor-session-token', 'x-vendor-api-token'],
    ...['x-vendor-auth-token', 'x-vendor-jwt', 'x-vendor-password', 'x-vendor-secret'],
  ];
  const kept = [
    'Content-Type',
    'Idempotency-Key',
    'X-Request-Id',
    'x-max-tokens',
    'x-auth-mode',
    'OpenAI-Project',
  ];

  it.each(secret)('is not stored: %s', (name) => {
    expect(withoutSecrets(['A', 'b', name, 'sk-1'])).toEqual(['A', 'b', name, removedValue]);
  });

  it.each(kept)('is not what another field says: %s', (name) => {
    const headers = [name, 'a value; with="more"'];
    expect(withoutSecrets(headers)).toEqual(headers);
  });

  it('leaves of a gateway’s settings what is no credential', () => {
    const [, config = ''] = withoutSecrets(['X-Portkey-Config', '{"model":"m","api_key":"sk-1"}']);
    expect(config).not.toContain('sk-1');
    expect(config).toContain('"model":"m"');
  });

  it('may be one field more, of which every value goes', () => {
    const headers = ['X-Own', 'sk-1', 'A', 'x-own', 'x-OWN', 'sk-2'];
    expect(withoutValueOf('x-own', headers)).toEqual([
      'X-Own',
      removedValue,
      'A',
      'x-own',
      'x-OWN',
      removedValue,
    ]);
    expect(withoutValueOf(undefined, headers)).toBe(headers);
    expect(withoutValueOf('x-other', headers)).toBe(headers);
  });

  it('comes from the caller when the stored fields go out, in their order, and is away where it has none', () => {
    const stored = ['Cookie', removedValue, 'A', 'b', 'cookie', removedValue, 'X-Api-Key', removedValue];
    const own = ['COOKIE', 'first', 'A', 'changed', 'cookie', 'second', 'cookie', 'third'];
    expect(withSecretsOf(own, stored)).toEqual(['Cookie', 'first', 'A', 'b', 'cookie', 'second']);
    const config = ['x-portkey-config', '{"api_key":"sk-1"}'];
    expect(withSecretsOf(config, withoutSecrets(config))).toEqual(config);
  });

  it.each([
    ...[
      'key',
      'api-key',
      'API_KEY',
      'access_token',
      'token',
      'sig',
      'signature',
      'password',
      'client_secret',
    ],
    ...['credential', 'AWSAccessKeyId', 'X-Amz-Signature', 'X-Goog-Credential', 'upload_id', 'code', '%6Bey'],
  ])('is taken out of a target: %s', (name) => {
    const target = `/v1/m?a=1&${name}=sk-1&b=%zz`;
    expect(targetWithoutSecrets(target)).toBe(`/v1/m?a=1&${name}=${removedValue}&b=%zz`);
  });

  it('leaves other parameters and paths as they are', () => {
    for (const target of ['/v1/keys/key', '/v1/m?', '/v1/m?alt=sse&keys=1&tokens=2&%zz=3'])
      expect(targetWithoutSecrets(target)).toBe(target);
  });
});

describe('what goes on to the next hop', () => {
  const hopByHop = [
    ...['Connection', 'Keep-Alive', 'Proxy-Connection', 'Proxy-Authenticate', 'Proxy-Authorization', 'TE'],
    ...['Trailer', 'Transfer-Encoding', 'Upgrade'],
  ];

  it.each(hopByHop)('is not %s', (name) => {
    expect(endToEndHeaders(['A', 'b', name, 'c'], () => false)).toEqual(['A', 'b']);
  });

  it('is neither what Connection names nor what is asked to be dropped', () => {
    const headers = [
      'X-One',
      '1',
      'Connection',
      ' close,\tX-One , x-two',
      'connection',
      'x-three',
      'x-two',
      '2',
    ];
    const more = [...headers, 'X-Three', '3', 'X-Drop', '4', 'X-Four', '5', 'x-four', '6'];
    expect(endToEndHeaders(more, (name) => name === 'x-drop')).toEqual(['X-Four', '5', 'x-four', '6']);
    expect([...connectionNames(headers)]).toEqual(['close', 'x-one', 'x-two', 'x-three']);
    expect([...connectionNames(['Connection', 'keep-alive', 'connection', 'close'])]).toEqual([]);
    expect([...connectionNames(['connection', 'close', 'connection', 'x-one'])]).toContain('x-one');
  });

  it('are told in linear time, whatever Connection is filled with', () => {
    const started = performance.now();
    expect([...connectionNames(['Connection', `a${' '.repeat(100_000)}b`])]).toHaveLength(1);
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it('behind a body is nothing that says what the message is, but for its digest', () => {
    const about = [
      'Content-Type',
      'a',
      'content-length',
      '1',
      'Host',
      'h',
      'Set-Cookie',
      'c',
      'holdpoint-decision',
      'd',
    ];
    const kept = ['Content-Digest', 'sha-256=:x:', 'x-checksum', '1'];
    expect(endToEndTrailers([...about, ...kept, 'Connection', 'x-own', 'X-Own', '2'])).toEqual(kept);
  });
});

describe('the fields behind a stored body', () => {
  const headers = ['A', 'b', 'x-sum', '1', 'x-sum', '2'];

  it('are the last ones', () => {
    const { message, trailers } = splitTrailers({ startLine, headers, body }, 2);
    expect([message, trailers]).toEqual([
      { startLine, headers: ['A', 'b'], body },
      ['x-sum', '1', 'x-sum', '2'],
    ]);
  });

  it('come before what tells of the whole body', () => {
    const whole = [wholeBodyHeader, 'sha-256'];
    const { message, trailers } = splitTrailers({ startLine, headers: [...headers, ...whole], body }, 1);
    expect([message.headers, trailers]).toEqual([
      ['A', 'b', 'x-sum', '1', ...whole],
      ['x-sum', '2'],
    ]);
  });

  it('are none where none came, and no more than there are', () => {
    expect(splitTrailers({ startLine, headers, body }, 0)).toEqual({
      message: { startLine, headers, body },
      trailers: [],
    });
    expect(splitTrailers({ startLine, headers, body }, 4).trailers).toEqual(headers);
  });
});

it('a value of a field is found whatever the case of its name, and only its own', () => {
  expect(valuesOf(['X-A', '1', 'x-ab', '2', 'x-b', '3', 'x-a', '4', 'cut'], 'x-a')).toEqual(['1', '4']);
});

it('only a request of HTTP/1.1 lacks a Host', () => {
  expect(lacksHost({ httpVersion: '1.1', headers: {} })).toBe(true);
  expect(lacksHost({ httpVersion: '1.1', headers: { host: '' } })).toBe(false);
  expect(lacksHost({ httpVersion: '1.0', headers: {} })).toBe(false);
});

describe('readers may differ over a body', () => {
  it.each([
    [['Content-Type', 'application/json', 'content-type', 'text/plain'], 'more than one content-type'],
    [['Content-Encoding', 'gzip', 'content-encoding', 'gzip'], 'more than one content-encoding'],
    [['Content-Type', 'application/json; charset=utf-16'], 'the charset "utf-16"'],
    [['Content-Type', 'text/plain; charset=utf-8; charset="shift_jis"'], 'the charset "shift_jis"'],
    [['Content-Type', 'text/plain; charset='], 'the charset ""'],
    [['Content-Type', 'text/plain', 'Connection', 'content-type'], 'keeps the content-type header to itself'],
    [['Connection', 'close, Content-Encoding'], 'keeps the content-encoding header to itself'],
  ])('where its fields are %j', (headers, why) => {
    expect(bodyFieldDoubt(headers)).toContain(why);
  });

  it.each(['utf8', 'UTF-8', '"utf-8"', 'us-ascii', 'ISO-8859-15', 'latin1', 'windows-1252'])(
    'but not where its charset is %s',
    (charset) => {
      expect(bodyFieldDoubt(['Content-Type', `application/json; charset=${charset}`])).toBe('');
    },
  );
});
