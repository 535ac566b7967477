/**
 * Receivers over HTTP. The address comes from the configuration alone, and no redirect is followed: an answer
 * cannot send a notice, or the sidecar, anywhere else. The answer's body is not read.
 */
import { ask, type Question, type Reply } from '../core/ask.ts';
import type { Clock } from '../core/clock.ts';
import type { Egress } from '../core/egress.ts';
import type { Notice } from './notice.ts';
import { NotTaken, type Receiver } from './receiver.ts';
import { webhookHeaders, webhookKey } from './signature.ts';

const waitMsMax = 3_600_000;

export interface WebReceiverOptions {
  readonly name: string;
  /** Read anew for each attempt; throws when it is gone. */
  readonly url: () => string;
  readonly contentType: string;
  readonly bodyOf: (notice: Notice) => unknown;
  /** Signs by Standard Webhooks; null for receivers whose address is the secret. */
  readonly secret: (() => string) | null;
  readonly clock: Clock;
  readonly egress: Egress;
}

export function openWebReceiver(options: WebReceiverOptions): Receiver {
  const { name, clock } = options;
  return {
    name,
    deliver: async (notice, signal) => {
      const body = JSON.stringify(options.bodyOf(notice));
      const headers = {
        'content-type': options.contentType,
        ...signatureOf(options, notice, body, clock.nowMs()),
      };
      const url = addressOf(options);
      const answer = await send({ method: 'POST', url, headers, body, signal }, options.egress);
      answer.drop();
      if (answer.status >= 200 && answer.status < 300) return;
      throw refusalOf(answer, clock.nowMs());
    },
  };
}

function addressOf(options: WebReceiverOptions): URL {
  const text = secretOr(options.url);
  const url = receiverUrl(text);
  if (url !== null) return url;
  throw new NotTaken('its address is not there or not one');
}

/** The address that a text is; null where none can be called. */
export function receiverUrl(text: string): URL | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
    ? url
    : null;
}

function signatureOf(
  { secret }: WebReceiverOptions,
  notice: Notice,
  body: string,
  nowMs: number,
): Readonly<Record<string, string>> {
  if (secret === null) return {};
  const key = webhookKey(secretOr(secret));
  if (key === null) throw new NotTaken('its secret is not there or not one');
  return webhookHeaders(key, notice.id, nowMs, body);
}

/** '' where a secret was taken away, whatever the place says of it. */
function secretOr(read: () => string): string {
  try {
    return read();
  } catch {
    // The notice is then not sent, which is said without the place's own words.
    return '';
  }
}

async function send(question: Question, egress: Egress): Promise<Reply> {
  try {
    return await ask(question, egress);
  } catch (error) {
    // The message of what failed can quote the address, which may be a secret: only its code is said.
    throw new NotTaken(`no answer (${codeOf(error)})`);
  }
}

function codeOf(error: unknown): string {
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    if (inner.name === 'TimeoutError' || inner.name === 'AbortError') return 'took too long';
    if ('code' in inner && typeof inner.code === 'string' && /^[A-Z0-9_]{2,48}$/.test(inner.code))
      return inner.code;
  }
  return 'failed';
}

function refusalOf(answer: Reply, nowMs: number): NotTaken {
  const { status } = answer;
  if (status >= 300 && status < 400) return new NotTaken(`answered ${status}: redirects are not followed`);
  const isFinal = status === 410 || status === 413;
  return new NotTaken(`answered ${status}`, { isFinal, waitMs: retryAfterMs(answer, nowMs) });
}

/** RFC 9110, 10.2.3: seconds or a date; bounded. */
function retryAfterMs(answer: Reply, nowMs: number): number {
  const text = answer.header('retry-after');
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), waitMsMax) : 0;
}
