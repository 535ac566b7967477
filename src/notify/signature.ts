/**
 * Standard Webhooks signatures, https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 *
 *     signed  = id || "." || seconds since the Unix epoch || "." || body
 *     header  = "v1," || base64(HMAC-SHA256(secret, signed))
 */
import { createHmac } from 'node:crypto';

const prefix = 'whsec_';
/** The specification's bounds. */
const secretBytes = { min: 24, max: 64 };

/** The key in a secret as it is handed out, with its prefix or without; null where it is none. */
export function webhookKey(secret: string): Buffer | null {
  const text = secret.startsWith(prefix) ? secret.slice(prefix.length) : secret;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return null;
  const key = Buffer.from(text, 'base64');
  return key.length >= secretBytes.min && key.length <= secretBytes.max ? key : null;
}

/** The three headers of one attempt. */
export function webhookHeaders(
  key: Buffer,
  id: string,
  nowMs: number,
  body: string,
): Readonly<Record<string, string>> {
  const seconds = String(Math.floor(nowMs / 1000));
  const mac = createHmac('sha256', key).update(`${id}.${seconds}.${body}`, 'utf8').digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': `v1,${mac}` };
}
