/** What a caller says of its own patience, and what tells its retry from a neighbour's call. */
import { createHmac } from 'node:crypto';
import { canonicalJson } from '../core/canonical-json.ts';
import { gatewayFields } from '../core/gateway-headers.ts';
import { headerOf, type RawHeaders, valuesOf } from '../core/http-message.ts';
import type { Call } from './call.ts';

/** What of a call makes it the same as another one. */
export type Repeatable = Pick<Call, 'body' | 'credential' | 'headers' | 'method' | 'target'> & {
  readonly facts: Pick<Call['facts'], 'headers' | 'purpose' | 'session' | 'subject' | 'workload'>;
  readonly stored: Pick<Call['stored'], 'removed'>;
  readonly upstream: Pick<Call['upstream'], 'name'>;
};

/**
 * Same workload, route, credential, body in canonical form (exact where credentials stand in it), what says how that
 * is read, idempotency key and whatever else rules judge give the same key. Keyed: it is sealed.
 */
export function retryKeyOf(call: Repeatable, key: Buffer): string {
  const mac = createHmac('sha256', key);
  const { facts } = call;
  for (const field of [
    facts.workload,
    call.credential,
    retryProofOf(call.headers) ?? '',
    call.upstream.name,
    call.method,
    call.target,
    headerOf(call.headers, 'idempotency-key'),
    facts.subject,
    facts.purpose,
    facts.session,
    JSON.stringify(facts.headers),
    gatewayFields(call.headers),
    // The same bytes are another body in another form or coding.
    headerOf(call.headers, 'content-type'),
    headerOf(call.headers, 'content-encoding'),
  ]) {
    mac.update(`${field.length}:${field}`);
  }
  const { head, spool } = call.body;
  // What is not stored cannot be sent in another spelling than that of the caller who comes back with it.
  const said = call.stored.removed > 0 ? head : (canonicalJson(head) ?? head);
  return mac.update(spool?.sha256 ?? said).digest('hex');
}

/**
 * What tells a caller's retry from a neighbour's call, beside its credential: '' where the credential is a secret.
 * Amazon's signatures cannot be checked here and name their key in the clear, so without a session's token the id
 * counts that Amazon's SDKs make up for a call and keep over its attempts, or one that the workload made up as its
 * idempotency key; null where there is none either.
 */
export function retryProofOf(headers: RawHeaders): string | null {
  if (!headerOf(headers, 'authorization').startsWith('AWS4-')) return '';
  if (headerOf(headers, 'x-amz-security-token') !== '') return '';
  return headerOf(headers, 'amz-sdk-invocation-id') || headerOf(headers, 'idempotency-key') || null;
}

/** True when an SDK says that this is a repetition: those of OpenAI and Anthropic, and Amazon's. */
export function isMarkedRetry(headers: RawHeaders): boolean {
  const count = Number(headerOf(headers, 'x-stainless-retry-count'));
  const attempt = Number(/(?:^|[;\s])attempt=(\d+)/.exec(headerOf(headers, 'amz-sdk-request'))?.[1] ?? 1);
  return (Number.isInteger(count) && count > 0) || attempt > 1;
}

/** True when the caller would rather be told than wait (RFC 7240 section 4.1). */
export function prefersAsync(headers: RawHeaders): boolean {
  return valuesOf(headers, 'prefer').some((value) => /(^|,)\s*respond-async\s*(,|;|$)/i.test(value));
}

/** How long the client itself waits, in ms; null when it does not say. */
export function clientBudgetMs(headers: RawHeaders): number | null {
  const seconds = Number(headerOf(headers, 'x-stainless-timeout'));
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : null;
}
