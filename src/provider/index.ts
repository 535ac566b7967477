/** The API families Holdpoint understands, by name. */
import { anthropic } from './anthropic.ts';
import { openai } from './openai.ts';
import type { Protocol } from './protocol.ts';

const protocols: Readonly<Record<Protocol['name'], Protocol>> = { openai, anthropic };

/** The protocol of one family; stateless, so one object serves every exchange. */
export function protocolOf(name: Protocol['name']): Protocol {
  return protocols[name];
}
