/** The API families by name, as configuration, rules and sealed entries say them. */
export const protocolNames = [
  'openai',
  'anthropic',
  'azure',
  'ollama',
  'mistral',
  'cohere',
  'bedrock',
  'gemini',
  'vertex',
] as const;
export type ProtocolName = (typeof protocolNames)[number];
