/** The API families Holdpoint understands, by name. */
import { type ProtocolName, protocolNames } from '../core/protocol-name.ts';
import { anthropic } from './anthropic.ts';
import { azure } from './azure.ts';
import { bedrock } from './bedrock.ts';
import { cohere } from './cohere.ts';
import { gemini } from './gemini.ts';
import { mistral } from './mistral.ts';
import { asAnthropicGateway, asBedrock, asChatServer, asOpenaiGateway } from './mounted-beside.ts';
import { ollama } from './ollama.ts';
import { openai } from './openai.ts';
import type { Protocol } from './protocol.ts';
import { vertex } from './vertex.ts';

const protocols: Readonly<Record<ProtocolName, Protocol>> = {
  openai: asOpenaiGateway(openai),
  anthropic: asAnthropicGateway(anthropic),
  azure: asOpenaiGateway(azure),
  ollama,
  mistral: asChatServer(mistral),
  cohere: asChatServer(cohere),
  bedrock: asBedrock(bedrock),
  gemini,
  vertex,
};

/** The protocol of one family; stateless, so one object serves every exchange. */
export function protocolOf(name: ProtocolName): Protocol {
  return protocols[name];
}

/** The protocol that a sealed entry names; null for one that this version does not know. */
export function protocolNamed(name: unknown): Protocol | null {
  const known = protocolNames.find((candidate) => candidate === name);
  return known === undefined ? null : protocols[known];
}
