/** What is sealed of one exchange within a connection: the leaf's data, and the messages kept beside it. */
import type { RequestFacts, ResponseFacts } from '../../core/facts.ts';
import {
  encodeHttpMessage,
  type RawHeaders,
  targetWithoutSecrets,
  withoutSecrets,
} from '../../core/http-message.ts';
import type { JsonObject } from '../../ledger/canonical.ts';
import type { Draft } from '../../ledger/sealer.ts';
import type { Judgement, Policy } from '../../policy/policy.ts';
import { encodeSocketBody, socketBodyType } from '../../provider/realtime-body.ts';
import type { AnswerResult } from '../record.ts';
import type { SocketCall } from './socket-call.ts';
import type { Tape } from './tape.ts';

const leafTextMax = 256;
const matchedRulesMax = 64;
const messagesHeaders: RawHeaders = ['content-type', socketBodyType];

/** The intent to connect, or with a tape the intent of what is on it. */
export function socketRequestDraft(
  call: SocketCall,
  facts: RequestFacts,
  defects: readonly string[],
  tape: Tape | null,
  judgement: Judgement,
  policy: Policy,
): Draft {
  const data: Record<string, JsonObject[string]> = {
    bytes: tape?.bytes ?? 0,
    caller: call.credential,
    method: call.method,
    model: bounded(facts.model),
    operation: call.operation,
    path: bounded(facts.path),
    policy: policy.digest,
    provider: facts.provider,
    rules: rulesOf(judgement),
    stream: true,
    upstream: call.upstream.name,
    verdict: judgement.action,
    workload: bounded(facts.workload),
  };
  if (tape !== null && tape.omittedBytes > 0) data['omitted'] = tape.omittedBytes;
  if (facts.purpose !== '') data['purpose'] = bounded(facts.purpose);
  if (facts.session !== '') data['session'] = bounded(facts.session);
  // A data subject's name must stay erasable: the leaf keeps a keyed fingerprint, the message keeps the name.
  if (facts.subject !== '') data['subject'] = call.fingerprint(facts.subject);
  const { model, stream, params, system, messages, text, tools } = facts;
  const understood = { facts: { model, stream, params, system, messages, text, tools }, defects };
  const message = encodeHttpMessage({
    startLine: `${call.method} ${targetWithoutSecrets(call.target)} HTTP/1.1`,
    headers: tape === null ? withoutSecrets(call.headers) : messagesHeaders,
    body: tape === null ? Buffer.alloc(0) : encodeSocketBody(understood, tape.records),
  });
  return { type: 'request', data, parts: [{ name: 'request', bytes: message }] };
}

export interface SocketAnswer {
  readonly facts: ResponseFacts;
  readonly defects: readonly string[];
  readonly result: AnswerResult;
  readonly judgement: Judgement;
  readonly policy: Policy;
  readonly elapsedUs: number;
}

/** The answer's messages. What carries them is no HTTP answer of its own, so it counts as a 200. */
export function socketResponseDraft(decision: number, answer: SocketAnswer, tape: Tape): Draft {
  const { facts, defects } = answer;
  const body = encodeSocketBody({ facts: { ...facts }, defects }, tape.records);
  const message = encodeHttpMessage({ startLine: 'HTTP/1.1 200 OK', headers: messagesHeaders, body });
  const data = { ...leafOf(decision, answer), bytes: tape.bytes, streamed: true };
  return {
    type: 'response',
    data: tape.omittedBytes === 0 ? data : { ...data, omitted: tape.omittedBytes },
    refs: [decision],
    parts: [{ name: 'response', bytes: message }],
  };
}

/** The provider's answer to the handshake. */
export function handshakeDraft(
  decision: number,
  answer: SocketAnswer,
  head: { readonly statusText: string; readonly headers: RawHeaders; readonly body: Buffer },
): Draft {
  const message = encodeHttpMessage({
    startLine: `HTTP/1.1 ${answer.facts.status} ${head.statusText}`,
    headers: withoutSecrets(head.headers),
    body: head.body,
  });
  const data = { ...leafOf(decision, answer), bytes: head.body.length, streamed: false };
  return { type: 'response', data, refs: [decision], parts: [{ name: 'response', bytes: message }] };
}

function leafOf(decision: number, answer: SocketAnswer): JsonObject {
  const { facts } = answer;
  return {
    decision,
    elapsedUs: Math.max(0, Math.round(answer.elapsedUs)),
    finish: bounded(facts.finishReason),
    fingerprint: bounded(facts.fingerprint),
    model: bounded(facts.model),
    policy: answer.policy.digest,
    result: answer.result,
    rules: rulesOf(answer.judgement),
    status: facts.status,
    toolCalls: facts.toolCalls.length,
    usage: usageOf(facts),
    verdict: answer.judgement.action,
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
