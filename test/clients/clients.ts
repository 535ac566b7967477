/** Every SDK of the matrix, in the order of its document. */
import { protocolNames } from '../../src/core/protocol-name.ts';
import {
  aiAnthropic,
  aiAzureChat,
  aiAzureResponses,
  aiBedrock,
  aiCohere,
  aiGoogle,
  aiMistral,
  aiOpenAiChat,
  aiOpenAiCompatible,
  aiOpenAiResponses,
  aiVertex,
} from './ai.ts';
import { anthropicMessages } from './anthropic.ts';
import { bedrockConverse } from './bedrock.ts';
import { bedrockInvoke } from './bedrock-invoke.ts';
import type { Client } from './client.ts';
import { cohereChat } from './cohere.ts';
import { googleGenAi, googleVertex } from './google.ts';
import {
  langchainAnthropic,
  langchainBedrock,
  langchainGoogle,
  langchainMistral,
  langchainOllama,
  langchainOpenAi,
  langchainOpenAiResponses,
} from './langchain.ts';
import { langchainCohere } from './langchain-cohere.ts';
import { mistralChat } from './mistral.ts';
import { ollamaChat } from './ollama.ts';
import { openaiAtAnthropic, openaiAzure, openaiChat, openaiResponses } from './openai.ts';

const all: readonly Client[] = [
  openaiChat,
  openaiResponses,
  openaiAzure,
  openaiAtAnthropic,
  langchainOpenAi,
  langchainOpenAiResponses,
  aiOpenAiChat,
  aiOpenAiResponses,
  aiOpenAiCompatible,
  aiAzureChat,
  aiAzureResponses,
  anthropicMessages,
  langchainAnthropic,
  aiAnthropic,
  googleGenAi,
  langchainGoogle,
  aiGoogle,
  googleVertex,
  aiVertex,
  bedrockConverse,
  bedrockInvoke,
  langchainBedrock,
  aiBedrock,
  ollamaChat,
  langchainOllama,
  mistralChat,
  langchainMistral,
  aiMistral,
  cohereChat,
  langchainCohere,
  aiCohere,
];

/** The families that any of them speaks. */
export const families = protocolNames.filter((name) => all.some(({ protocol }) => protocol === name));

export const clients = all.filter(({ protocol }) => families.some((name) => name === protocol));
