/** Signatures for Amazon: known values, an independent check, and what becomes of the workload's own. */
import { describe, expect, test } from 'vitest';
import { bodyOf } from '../../../src/proxy/body.ts';
import type { OutgoingRequest } from '../../../src/proxy/forward.ts';
import { createSigner } from '../../../src/proxy/sigv4.ts';
import { signatureDefect } from '../../support/aws-signature.ts';

/** Amazon's published examples (Amazon S3 API reference, "Examples: Signature Calculations"). */
const example = {
  credentials: {
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  },
  scope: { service: 's3', region: 'us-east-1' },
  nowMs: Date.parse('2013-05-24T00:00:00Z'),
  origin: 'https://examplebucket.s3.amazonaws.com',
};

const own = { accessKeyId: 'AKIDSIDECAR', secretAccessKey: 'secret/of+the=sidecar' };
const scope = { service: 'bedrock', region: 'eu-central-1' };
const sign = createSigner(
  scope,
  () => own,
  () => Date.parse('2026-11-22T10:20:30Z'),
);

function request(path: string, headers: readonly string[] = [], body = ''): OutgoingRequest {
  const origin = 'https://bedrock-runtime.eu-central-1.amazonaws.com';
  return { origin, path, method: 'POST', headers, body: bodyOf(Buffer.from(body)) };
}

/** The request as the service receives it. */
function received(sent: OutgoingRequest) {
  const lines = [`${sent.method} ${sent.path} HTTP/1.1`, `host: ${new URL(sent.origin).host}`];
  for (let i = 0; i < sent.headers.length; i += 2) lines.push(`${sent.headers[i]}: ${sent.headers[i + 1]}`);
  return { method: sent.method, target: sent.path, head: lines.join('\r\n'), body: sent.body.head };
}

function headerOf(headers: readonly string[], name: string): string | undefined {
  return headers[headers.indexOf(name) + 1];
}

describe('a signature', () => {
  test.each([
    ['/?lifecycle', 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
    ['/?max-keys=2&prefix=J', '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
  ])('of Amazon’s example %s is the published one', async (path, signature) => {
    const signer = createSigner(
      example.scope,
      () => example.credentials,
      () => example.nowMs,
    );
    const get = { ...request(path), method: 'GET', origin: example.origin };
    const { headers } = await signer(get);
    expect(headerOf(headers, 'authorization')).toBe(
      'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, ' +
        `SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${signature}`,
    );
  });

  test('that Amazon publishes passes the check that these tests use', () => {
    const head = [
      'GET / HTTP/1.1',
      'Host:example.amazonaws.com',
      'X-Amz-Date:20150830T123600Z',
      'Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ' +
        'SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
    ].join('\r\n');
    const vanilla = { method: 'GET', target: '/', head, body: Buffer.alloc(0) };
    const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
    expect(signatureDefect(vanilla, 'AKIDEXAMPLE', secret)).toBe('');
    expect(signatureDefect({ ...vanilla, target: '/other' }, 'AKIDEXAMPLE', secret)).not.toBe('');
  });

  test.each([
    '/model/us.amazon.nova-pro-v1%3A0/converse',
    '/model/arn%3Aaws%3Abedrock%3Aeu-central-1%3A1%3Ainference-profile%2Fus.m/converse',
    '/model/m/converse?b=2&a=1&a=%20&empty',
    '/model/m/converse?constructor=1&toString=2',
    '/model/m:0/converse',
    '/model/größe/converse',
  ])('covers the path as it goes out: %s', async (path) => {
    const sent = await sign(request(path, ['content-type', 'application/json'], '{"messages":[]}'));
    expect(sent.path).toBe(path);
    expect(signatureDefect(received(sent), own.accessKeyId, own.secretAccessKey)).toBe('');
  });

  test('covers the body and the headers that Amazon wants signed', async () => {
    const sent = await sign(request('/model/m/invoke', ['X-Amz-Target', ' a  b ', 'accept', '*/*'], 'body'));
    expect(signatureDefect(received(sent), own.accessKeyId, own.secretAccessKey)).toBe('');
    const other = { ...received(sent), body: Buffer.from('other') };
    expect(signatureDefect(other, own.accessKeyId, own.secretAccessKey)).not.toBe('');
    expect(headerOf(sent.headers, 'authorization')).toContain('x-amz-target');
  });

  test('covers what kind of body it is, and not what a hop on the way may still change', async () => {
    const sent = await sign(request('/model/m/invoke', ['Content-Type', 'text/plain', 'accept', '*/*']));
    expect(headerOf(sent.headers, 'authorization')).toContain('SignedHeaders=content-type;host;x-amz-');
    expect(headerOf(sent.headers, 'authorization')).not.toContain('accept');
  });

  test('covers all values of a header that comes more than once', async () => {
    const twice = ['X-Amz-Meta-Tag', 'one', 'x-amz-meta-tag', 'two'];
    const sent = await sign(request('/model/m/invoke', twice));
    expect(sent.headers.slice(0, 4)).toEqual(twice);
    expect(signatureDefect(received(sent), own.accessKeyId, own.secretAccessKey)).toBe('');
  });

  test('covers as it stands what is no percent-encoding', async () => {
    const signatureOf = async (path: string) =>
      headerOf((await sign(request(path))).headers, 'authorization');
    expect(await signatureOf('/model/m/invoke?a=%zz')).not.toBe(await signatureOf('/model/m/invoke?a='));
  });

  test('of a path with an empty query goes out without that', async () => {
    const sent = await sign(request('/model/m/invoke?'));
    expect(sent.path).toBe('/model/m/invoke');
    expect(signatureDefect(received(sent), own.accessKeyId, own.secretAccessKey)).toBe('');
  });

  test('of a session carries its token', async () => {
    const ofSession = createSigner(
      scope,
      () => ({ ...own, sessionToken: 'session-token' }),
      () => 0,
    );
    const sent = await ofSession(request('/model/m/invoke'));
    expect(headerOf(sent.headers, 'x-amz-security-token')).toBe('session-token');
    expect(signatureDefect(received(sent), own.accessKeyId, own.secretAccessKey)).toBe('');
  });

  test('is made with the credentials of that moment', async () => {
    let credentials = own;
    const signer = createSigner(
      scope,
      () => credentials,
      () => 0,
    );
    await signer(request('/model/m/invoke'));
    credentials = { accessKeyId: 'AKIDNEXT', secretAccessKey: 'next' };
    const sent = await signer(request('/model/m/invoke'));
    expect(signatureDefect(received(sent), 'AKIDNEXT', 'next')).toBe('');
  });

  test('takes the place of every trace of the workload’s', async () => {
    const workload = [
      ...['Authorization', 'AWS4-HMAC-SHA256 Credential=AKIDWORKLOAD/x'],
      ...['X-Amz-Date', '20200101T000000Z', 'x-amz-security-token', 'workload-token'],
      ...['x-amz-content-sha256', 'workload-digest', 'amz-sdk-invocation-id', 'id-1'],
    ];
    const path = '/model/m/invoke?X-Amz-Signature=s&x=1&X-Amz-Credential=c&X-Amz-Security-Token=t';
    const sent = await sign(request(path, workload, '{}'));
    expect(JSON.stringify([sent.headers, sent.path])).not.toMatch(
      /AKIDWORKLOAD|2020|workload|Signature=s|token=t/i,
    );
    expect([sent.path, headerOf(sent.headers, 'amz-sdk-invocation-id')]).toEqual([
      '/model/m/invoke?x=1',
      'id-1',
    ]);
    expect(signatureDefect(received(sent), own.accessKeyId, own.secretAccessKey)).toBe('');
  });

  test.each([
    ...['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Date', 'X-Amz-Expires', 'X-Amz-SignedHeaders'],
    ...['X-Amz-Signature', 'X-Amz-Security-Token', 'X-Amz-Region-Set', 'x%2Damz%2Dsignatur%65'],
  ])('takes the place of a signature in the URL, and of its %s', async (name) => {
    const sent = await sign(request(`/model/m/invoke?a=1&${name}=theirs&b=2`));
    expect(sent.path).toBe('/model/m/invoke?a=1&b=2');
  });

  test('is for its own region, whatever regions the workload’s was for', async () => {
    const sent = await sign(request('/model/m/invoke', ['X-Amz-Region-Set', '*']));
    expect(sent.headers).not.toContain('X-Amz-Region-Set');
    expect(signatureDefect(received(sent), own.accessKeyId, own.secretAccessKey)).toBe('');
  });

  test('of a body that lies on disk needs only its digest', async () => {
    const body = Buffer.from('{"large":true}');
    const digest = '6ad4b0a36b7e2a8aaeb1c2b0d8b1ea8d3b6b6f3f5d7b1f3a7c9e0d1f2a3b4c5d';
    const spool = {
      bytes: body.length,
      sha256: digest,
      read: async function* () {
        yield body;
      },
      close: async () => undefined,
    };
    const sent = await sign({ ...request('/model/m/invoke'), body: { ...bodyOf(body), spool } });
    expect(headerOf(sent.headers, 'x-amz-content-sha256')).toBe(digest);
  });
});
