/** What a leaf says of an exchange, whatever carried it. Content never enters a leaf; every text in it is bounded. */
import type { RequestFacts, ResponseFacts } from '../core/facts.ts';
import { leafTextMax } from '../core/leaf-text.ts';
import type { JsonObject } from '../ledger/canonical.ts';
import type { Judgement, Policy } from '../policy/policy.ts';

/** How the upstream's answer ended. */
export type AnswerResult =
  | 'ok'
  | 'error'
  | 'client_abort'
  | 'upstream_truncated'
  | 'upstream_error'
  | 'response_too_large';

export type LeafData = Record<string, JsonObject[string]>;

const matchedRulesMax = 64;

/** Who asks, and where to. */
export interface Asker {
  readonly method: string;
  readonly operation: string;
  readonly credential: string;
  readonly upstream: { readonly name: string };
}

/** The intent: who asks what of whom, and what the rules said. `bytes` are the body's. */
export function requestLeaf(
  asker: Asker,
  facts: RequestFacts,
  bytes: number,
  judgement: Judgement,
  policy: Policy,
  fingerprint: (text: string) => string,
): LeafData {
  const data: LeafData = {
    bytes,
    caller: asker.credential,
    method: bounded(asker.method),
    model: bounded(facts.model),
    operation: asker.operation,
    path: bounded(facts.path),
    policy: policy.digest,
    provider: facts.provider,
    rules: rulesOf(judgement),
    stream: facts.stream,
    upstream: asker.upstream.name,
    verdict: judgement.action,
    workload: bounded(facts.workload),
  };
  if (facts.purpose !== '') data['purpose'] = bounded(facts.purpose);
  if (facts.session !== '') data['session'] = bounded(facts.session);
  // A data subject's name must stay erasable: the leaf keeps a keyed fingerprint, the message keeps the name.
  if (facts.subject !== '') data['subject'] = fingerprint(facts.subject);
  return data;
}

export interface JudgedAnswer {
  readonly facts: ResponseFacts;
  readonly result: AnswerResult;
  readonly judgement: Judgement;
  readonly policy: Policy;
  readonly elapsedUs: number;
}

/** The answer to the decision of that request, and what the rules said. `bytes` are the body's. */
export function answerLeaf(
  decision: number,
  { facts, result, judgement, policy, elapsedUs }: JudgedAnswer,
  bytes: number,
  streamed: boolean,
): LeafData {
  return {
    bytes,
    decision,
    elapsedUs: Math.max(0, Math.round(elapsedUs)),
    fingerprint: bounded(facts.fingerprint),
    finish: bounded(facts.finishReason),
    model: bounded(facts.model),
    policy: policy.digest,
    result,
    rules: rulesOf(judgement),
    status: facts.status,
    streamed,
    toolCalls: facts.toolCalls.length,
    usage: usageOf(facts),
    verdict: judgement.action,
  };
}

function usageOf({ usage }: ResponseFacts): JsonObject {
  if (usage.source === 'absent') return { source: 'absent' };
  const { inputTokens, outputTokens, totalTokens } = usage;
  return {
    input: tokens(inputTokens),
    output: tokens(outputTokens),
    source: 'provider',
    total: tokens(totalTokens),
  };
}

/** A provider may send anything; a leaf holds safe integers. */
function tokens(count: number): number {
  return Number.isSafeInteger(count) && count >= 0 ? count : 0;
}

function rulesOf(judgement: Judgement): string[] {
  return judgement.matches.slice(0, matchedRulesMax).map((match) => match.rule);
}

function bounded(text: string): string {
  return text.length <= leafTextMax ? text : text.slice(0, leafTextMax);
}
