/** Signatures as the reference library of Standard Webhooks reads them. */
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { webhookHeaders, webhookKey } from '../../src/notify/signature.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const body = '{"specversion":"1.0","id":"h-1.opened","text":"€"}';

function headersAt(nowMs: number, key = webhookKey(secret)): Record<string, string> {
  if (key === null) throw new Error('the secret was refused');
  return { ...webhookHeaders(key, 'h-1.opened', nowMs, body) };
}

describe('a signed message', () => {
  it('is verified by the reference library', () => {
    expect(new Webhook(secret).verify(body, headersAt(Date.now()))).toEqual(JSON.parse(body));
  });

  it('is the one that the reference library makes', () => {
    const at = new Date(1_764_151_200_000);
    expect(headersAt(at.getTime())['webhook-signature']).toBe(
      new Webhook(secret).sign('h-1.opened', at, body),
    );
  });

  it.each([
    ['another body', (headers: Record<string, string>) => [`${body} `, headers] as const],
    ['another id', (headers: Record<string, string>) => [body, { ...headers, 'webhook-id': 'h-2' }] as const],
    [
      'another time',
      (headers: Record<string, string>) =>
        [
          body,
          { ...headers, 'webhook-timestamp': String(Number(headers['webhook-timestamp']) + 1) },
        ] as const,
    ],
  ])('is refused with %s', (_, change) => {
    const [changed, headers] = change(headersAt(Date.now()));
    expect(() => new Webhook(secret).verify(changed, headers)).toThrow(WebhookVerificationError);
  });

  it('is refused when it is old', () => {
    expect(() => new Webhook(secret).verify(body, headersAt(Date.now() - 600_000))).toThrow(/too old/);
  });
});

describe('a secret', () => {
  it.each(['', 'whsec_', 'whsec_c2hvcnQ=', `whsec_${'A'.repeat(120)}`, 'whsec_not base64 at all, no!'])(
    '%j is none',
    (text) => expect(webhookKey(text)).toBeNull(),
  );
  it.each([
    [23, false],
    [24, true],
    [64, true],
    [65, false],
  ])('of %i bytes is one: %s', (bytes, isOne) => {
    expect(webhookKey(Buffer.alloc(bytes, 7).toString('base64')) !== null).toBe(isOne);
  });

  it('is none where anything but base64 stands in it', () => {
    expect(webhookKey(`!${Buffer.alloc(32, 7).toString('base64')}`)).toBeNull();
  });

  it('is read with its prefix and without', () => {
    expect(webhookKey(secret)).toEqual(webhookKey(secret.slice('whsec_'.length)));
  });
});
