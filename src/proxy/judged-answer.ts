/**
 * What the rules say of an answer. Where that cannot be told after a part of the answer passed, the answer has failed:
 * what passed is sealed all the same.
 */
import type { Facts } from '../core/facts.ts';
import type { Judgement, Policy } from '../policy/policy.ts';
import type { Answered } from './answer.ts';
import { judgeAnswers, type Lines, noLines, strictestOf } from './batch.ts';
import type { Call } from './call.ts';
import { judge, passed } from './judge.ts';
import { resultOfFailure } from './outcome.ts';
import { toHoldpointError } from './respond.ts';

interface Judged {
  readonly answered: Answered;
  readonly judgement: Judgement;
  /** Of each answer that the body carries. */
  readonly lines: Lines;
}

/** Judges an answer and every answer that it carries. Throws only where its caller has nothing of it. */
export async function judgeAnswer(call: Call, answered: Answered, policy: Policy): Promise<Judged> {
  try {
    const facts: Facts = { request: call.facts, response: answered.facts };
    const lines = answered.batch === undefined ? noLines : await judgeAnswers(call, answered.batch, policy);
    const judgement = strictestOf(judge(policy, 'response', facts, answered.defects), lines);
    return { answered, judgement, lines };
  } catch (error) {
    if (answered.passedBytes === 0) throw error;
    const failure = answered.failure ?? toHoldpointError(error);
    const { facts } = call.upstream.protocol.readResponse('unknown', answered.status, Buffer.alloc(0));
    const failed = { facts, failure, result: resultOfFailure(failure, call.caller), batch: undefined };
    return { answered: { ...answered, ...failed }, judgement: passed, lines: noLines };
  }
}
