/** Which header fields rules may read. Of what was recorded the same ones come back, because none of them is a secret. Pure. */
import { connectionNames, type RawHeaders, valuesOf } from './http-message.ts';

/** In lower case. */
export const factHeaders = [
  'user-agent',
  'openai-organization',
  'openai-project',
  'anthropic-version',
  'anthropic-beta',
  'openai-beta',
  'x-amzn-bedrock-guardrailidentifier',
  'x-amzn-bedrock-guardrailversion',
] as const;

/** Names in lower case, with all their values as one (RFC 9110 section 5.3); those that go on to the provider alone. */
export function factHeadersOf(headers: RawHeaders): Record<string, string> {
  const found: Record<string, string> = {};
  const staying = connectionNames(headers);
  for (const name of factHeaders) {
    const value = staying.has(name) ? '' : valuesOf(headers, name).join(', ');
    if (value !== '') found[name] = value;
  }
  return found;
}
