/**
 * Members of answers that say again what the model said, its calls included: token by token, as a guardrail saw it, or in
 * the model's own form. An amended answer would tell by them what was taken out of it. Must not know any family.
 */
import { isAbsent, isRecord, type JsonRecord } from '../wire/json.ts';

const saidAgain: ReadonlySet<string> = new Set([
  // Token by token: of OpenAI, Ollama and Cohere, of servers that speak as OpenAI does, of Cohere's first API, of Gemini.
  ...['logprobs', 'token_ids', 'token_likelihoods', 'logprobsResult'],
  // Of llama.cpp, where it is told to log all that it does.
  '__verbose',
  // Of vLLM's responses, the model's own messages with their tokens; of xAI, what its servers answered one another.
  ...['input_messages', 'output_messages', 'debug_output'],
  // Of Bedrock: what the caller asked to have of the model's own answer, and what a guardrail saw of it.
  ...['additionalModelResponseFields', 'amazon-bedrock-trace'],
]);

/**
 * True where the record tells tokens. Servers that gather a call before they make it, vLLM and Ollama, send its tokens ahead
 * with nothing else, to whoever asks for them.
 */
export function tellsTokens({ logprobs, token_ids: ids }: JsonRecord): boolean {
  return isSaid(logprobs) || isSaid(ids);
}

function isSaid(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return isRecord(value) ? Object.values(value).some(isSaid) : !isAbsent(value);
}

/** The record without them; itself where it has none. */
export function withoutSaidAgain(record: JsonRecord): JsonRecord {
  const says = (name: string): boolean => saidAgain.has(name) && !isAbsent(record[name]);
  const { trace } = record;
  const isTraced = isRecord(trace) && 'guardrail' in trace;
  if (!isTraced && !Object.keys(record).some(says)) return record;
  const kept = Object.fromEntries(Object.entries(record).filter(([name]) => !says(name)));
  if (!isTraced) return kept;
  const { guardrail: _guardrail, ...rest } = trace;
  return { ...kept, trace: rest };
}
