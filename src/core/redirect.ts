/**
 * Whether an answer sends its caller to another host (RFC 9110 section 15.4). SDKs follow at once, with the request's body
 * where the status says so, and what they ask and get there no sidecar sees. Pure.
 */
import { type RawHeaders, targetWithoutSecrets, valuesOf } from './http-message.ts';

/** Those that clients follow. */
const followed: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Stands for wherever the caller has asked. */
const here = 'http://here.invalid/';
const scheme = /^[\s\0]*[a-z][a-z0-9+.-]*:/i;

/** A place that clients differ over may be anywhere. */
function isElsewhere(location: string): boolean {
  if (scheme.test(location) || !URL.canParse(location, here)) return true;
  return new URL(location, here).host !== new URL(here).host;
}

/** Why what the caller does next may not come by; '' where it comes back, or goes nowhere. */
export function redirectDoubt(status: number, headers: RawHeaders): string {
  if (!followed.has(status)) return '';
  const location = valuesOf(headers, 'location').find(isElsewhere);
  if (location === undefined) return '';
  return `the answer sends the caller past Holdpoint, to ${JSON.stringify(targetWithoutSecrets(location).slice(0, 200))}`;
}
