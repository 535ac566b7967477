/** What an upstream is when its configuration names only the family. */
import type { ProtocolName } from '../core/protocol-name.ts';

/** Where each family's provider is; null where every customer has an address of his own. */
export const providerUrls: Readonly<Record<ProtocolName, string | null>> = {
  openai: 'https://api.openai.com',
  anthropic: 'https://api.anthropic.com',
  // One for each resource, such as https://my-resource.openai.azure.com.
  azure: null,
  ollama: 'http://127.0.0.1:11434',
  mistral: 'https://api.mistral.ai',
  cohere: 'https://api.cohere.com',
  // One for each region, such as https://bedrock-runtime.eu-central-1.amazonaws.com.
  bedrock: null,
  gemini: 'https://generativelanguage.googleapis.com',
  // The host says in which region data is processed, such as https://europe-west4-aiplatform.googleapis.com:
  // nobody should be sent to the global one by default.
  vertex: null,
};

/** Where each family looks for a key; `authorization` for those that are not named. */
export const keyHeaders: Readonly<Partial<Record<ProtocolName, string>>> = {
  anthropic: 'x-api-key',
  azure: 'api-key',
  gemini: 'x-goog-api-key',
};
