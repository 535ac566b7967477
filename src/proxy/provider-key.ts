/**
 * The provider's key, put in by the sidecar so that a workload without it has none. It takes the place of whatever
 * the workload sent as a credential, on the way out only: records, rules and fingerprints see the workload's own.
 */
import type { RawHeaders } from '../core/http-message.ts';

export interface ProviderKey {
  /** In lower case; `authorization` carries the key as a bearer token. */
  readonly header: string;
  /** The key as it is now. Throws `upstream_unreachable` when it cannot be had; it never falls back to another. */
  readonly current: () => string;
}

/** Whatever a provider might take for a credential, in any family. */
const credentialHeaders = new Set([
  'authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'ocp-apim-subscription-key',
  'x-auth-token',
  'x-access-token',
  'x-amz-security-token',
  'cookie',
]);
const credentialParameters = /^(key|api[-_]?key|access_token|oauth_token|auth_token|subscription-key)$/i;
/** How browsers carry a key into a WebSocket. */
const credentialProtocols = /^openai-insecure-api-key\./i;

/** Path and headers as they go out, and the key among them; unchanged where there is none to put in. */
export function withProviderKey(
  key: ProviderKey | undefined,
  path: string,
  headers: RawHeaders,
): { readonly path: string; readonly headers: RawHeaders; readonly withheld?: string } {
  if (key === undefined) return { path, headers };
  const sent: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    const lower = name.toLowerCase();
    if (lower === key.header || lower === 'accept-encoding' || credentialHeaders.has(lower)) continue;
    const value = headers[i + 1] ?? '';
    const kept = lower === 'sec-websocket-protocol' ? withoutCredentials(value) : value;
    if (kept !== '' || value === '') sent.push(name, kept);
  }
  const current = key.current();
  sent.push(key.header, key.header === 'authorization' ? `Bearer ${current}` : current);
  // In the clear, so that an answer that repeats the key can be told (see withhold.ts).
  sent.push('accept-encoding', 'identity');
  return { path: withoutCredentialParameters(path), headers: sent, withheld: current };
}

function withoutCredentialParameters(path: string): string {
  const mark = path.indexOf('?');
  if (mark === -1) return path;
  const pairs = path.slice(mark + 1).split('&');
  const kept = pairs.filter((pair) => !credentialParameters.test(decoded(pair.split('=', 1)[0] ?? '')));
  if (kept.length === pairs.length) return path;
  return kept.length === 0 ? path.slice(0, mark) : `${path.slice(0, mark)}?${kept.join('&')}`;
}

function withoutCredentials(protocols: string): string {
  const kept = protocols.split(',').filter((name) => !credentialProtocols.test(name.trim()));
  return kept.join(',').trim();
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    // Not percent-encoded text; compared as it stands.
    return name;
  }
}
