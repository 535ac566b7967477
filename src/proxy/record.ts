/** What is sealed of an exchange: the leaf's data and the message kept beside it. Content never enters a leaf. */
import type { ResponseFacts } from '../core/facts.ts';
import {
  encodeHttpMessage,
  type RawHeaders,
  targetWithoutSecrets,
  withoutSecrets,
} from '../core/http-message.ts';
import type { JsonObject } from '../ledger/canonical.ts';
import type { Draft } from '../ledger/sealer.ts';
import type { Judgement, Policy } from '../policy/policy.ts';
import type { StreamForm } from '../provider/protocol.ts';
import type { Call, UpgradeCall } from './call.ts';

/** How the upstream's answer ended; `synthetic` where there was none. */
export type AnswerResult =
  | 'ok'
  | 'error'
  | 'client_abort'
  | 'upstream_truncated'
  | 'upstream_error'
  | 'response_too_large';

const leafTextMax = 256;
const matchedRulesMax = 64;

/** The intent: who asks what of whom, and what the rules said. */
export function requestDraft(
  call: Call | UpgradeCall,
  judgement: Judgement,
  policy: Policy,
  fingerprint: (text: string) => string,
): Draft {
  const { facts, upstream } = call;
  const data: Record<string, JsonObject[string]> = {
    bytes: call.body.bytes,
    caller: call.credential,
    method: bounded(call.method),
    model: bounded(facts.model),
    operation: call.operation,
    path: bounded(facts.path),
    policy: policy.digest,
    provider: facts.provider,
    rules: rulesOf(judgement),
    stream: facts.stream,
    upstream: upstream.name,
    verdict: judgement.action,
    workload: bounded(facts.workload),
  };
  if (facts.purpose !== '') data['purpose'] = bounded(facts.purpose);
  if (facts.session !== '') data['session'] = bounded(facts.session);
  // A data subject's name must stay erasable: the leaf keeps a keyed fingerprint, the message keeps the name.
  if (facts.subject !== '') data['subject'] = fingerprint(facts.subject);
  const startLine = `${call.method} ${targetWithoutSecrets(call.target)} HTTP/1.1`;
  const { head, spool } = call.body;
  if (spool !== null) data['stored'] = head.length;
  const message = storedMessage(startLine, call.headers, head, call.body.bytes, spool?.sha256 ?? null);
  return { type: 'request', data, parts: [{ name: 'request', bytes: message }] };
}

export interface SealedAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly string[];
  /** What is stored of it. */
  readonly body: Buffer;
  readonly bytes: number;
  /** Of all of it, where only a beginning is stored. */
  readonly sha256: string | null;
  readonly facts: ResponseFacts;
  readonly result: AnswerResult;
  readonly form: StreamForm | null;
  readonly judgement: Judgement;
  readonly policy: Policy;
  readonly elapsedUs: number;
}

/** The answer as it came, and what the rules said. */
export function responseDraft(decision: number, answer: SealedAnswer): Draft {
  const { facts } = answer;
  const data: Record<string, JsonObject[string]> = {
    bytes: answer.bytes,
    decision,
    elapsedUs: Math.max(0, Math.round(answer.elapsedUs)),
    finish: bounded(facts.finishReason),
    fingerprint: bounded(facts.fingerprint),
    model: bounded(facts.model),
    policy: answer.policy.digest,
    result: answer.result,
    rules: rulesOf(answer.judgement),
    status: answer.status,
    streamed: answer.form !== null,
    toolCalls: facts.toolCalls.length,
    usage: usageOf(facts),
    verdict: answer.judgement.action,
  };
  const startLine = `HTTP/1.1 ${answer.status} ${answer.statusText}`;
  if (answer.sha256 !== null) data['stored'] = answer.body.length;
  const message = storedMessage(startLine, answer.headers, answer.body, answer.bytes, answer.sha256);
  return { type: 'response', data, refs: [decision], parts: [{ name: 'response', bytes: message }] };
}

/**
 * The message as it is stored. Where only the body's beginning is, a field says how long the whole was and what
 * it hashes to, so that the commitment, and a ruling by its digest, covers all of it.
 */
function storedMessage(
  startLine: string,
  headers: RawHeaders,
  stored: Buffer,
  bytes: number,
  sha256: string | null,
): Buffer {
  const safe = withoutSecrets(headers).slice();
  if (sha256 !== null) safe.push(wholeBodyHeader, wholeBodyValue(bytes, sha256));
  return encodeHttpMessage({ startLine, headers: safe, body: stored });
}

/** The last field of a message of which only the beginning is stored. */
const wholeBodyHeader = 'holdpoint-whole-body';

/** What that field says of a body. */
export function wholeBodyValue(bytes: number, sha256: string): string {
  return `bytes=${bytes}; sha-256=${sha256}`;
}

function usageOf(facts: ResponseFacts): JsonObject {
  const { usage } = facts;
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
