/** Which header fields rules may read. Of what was recorded the same ones come back, because none of them is a secret. Pure. */
import { headerOf, type RawHeaders } from './http-message.ts';

const factHeaders = [
  'user-agent',
  'openai-organization',
  'openai-project',
  'anthropic-version',
  'anthropic-beta',
  'openai-beta',
  'x-amzn-bedrock-guardrailidentifier',
  'x-amzn-bedrock-guardrailversion',
];

/** Names in lower case, with their first values. */
export function factHeadersOf(headers: RawHeaders): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of factHeaders) {
    const value = headerOf(headers, name);
    if (value !== '') found[name] = value;
  }
  return found;
}
