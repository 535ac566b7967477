/**
 * The API families Holdpoint understands, by name; each has a folder, and `family.ts` is where it begins. What they share
 * lies beside them and knows none of them: `wire/` forms of bytes, `reading/` facts made of them, `asked/` who else a request
 * has answer, `amending/` a reviewer's changes, `batches/` many calls in one. `served/` is what servers of models offer
 * beside OpenAI's API, `realtime/` what is said on a WebSocket.
 */
import { type ProtocolName, protocolNames } from '../core/protocol-name.ts';
import { anthropic } from './anthropic/family.ts';
import { bedrock } from './bedrock/family.ts';
import { cohere } from './cohere/family.ts';
import { gemini } from './gemini/family.ts';
import { mistral } from './mistral/family.ts';
import {
  asAnthropicGateway,
  asBedrock,
  asChatServer,
  asGoogleGateway,
  asOpenaiGateway,
} from './mounted-beside.ts';
import { ollama } from './ollama/family.ts';
import { azure } from './openai/azure.ts';
import { openai } from './openai/family.ts';
import type { Protocol } from './protocol.ts';
import { vertex } from './vertex/family.ts';

const protocols: Readonly<Record<ProtocolName, Protocol>> = {
  openai: asOpenaiGateway(openai),
  anthropic: asAnthropicGateway(anthropic),
  azure: asOpenaiGateway(azure),
  ollama,
  mistral: asChatServer(mistral),
  cohere: asChatServer(cohere),
  bedrock: asBedrock(bedrock),
  gemini: asGoogleGateway(gemini),
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
