/** Every SDK of the matrix, in the order of its document. */
import { protocolNames } from '../../src/core/protocol-name.ts';
import { aiAnthropic, aiOpenAiChat, aiOpenAiResponses } from './ai.ts';
import { anthropicMessages } from './anthropic.ts';
import type { Client } from './client.ts';
import { langchainAnthropic, langchainOpenAi, langchainOpenAiResponses } from './langchain.ts';
import { openaiChat, openaiResponses } from './openai.ts';

export const clients: readonly Client[] = [
  openaiChat,
  openaiResponses,
  langchainOpenAi,
  langchainOpenAiResponses,
  aiOpenAiChat,
  aiOpenAiResponses,
  anthropicMessages,
  langchainAnthropic,
  aiAnthropic,
];

export const families = protocolNames.filter((name) => clients.some(({ protocol }) => protocol === name));
