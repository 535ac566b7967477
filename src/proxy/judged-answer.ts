/**
 * What the rules say of an answer. Where that cannot be told after a part of the answer passed, the answer has failed:
 * what passed is sealed all the same.
 */
import type { Facts } from '../core/facts.ts';
import type { Judgement, Policy } from '../policy/policy.ts';
import { withoutKnown } from '../replay/messages.ts';
import type { Answered } from './answer.ts';
import { judgeAnswers, type Lines, noLines, strictestOf } from './batch.ts';
import type { Call } from './call.ts';
import { judge, passed } from './judge.ts';
import type { KnownCall, LetThrough } from './let-through.ts';
import { resultOfFailure } from './outcome.ts';
import { toHoldpointError } from './respond.ts';

interface Judged {
  readonly answered: Answered;
  readonly judgement: Judgement;
  /** Of each answer that the body carries. */
  readonly lines: Lines;
  /** Calls that were not judged, because their reader has them. */
  readonly known: readonly KnownCall[];
}

const noneKnown: readonly KnownCall[] = [];

/** Judges an answer and every answer that it carries. Throws only where its caller has nothing of it. */
export async function judgeAnswer(
  call: Call,
  answered: Answered,
  policy: Policy,
  letThrough: LetThrough,
): Promise<Judged> {
  try {
    const lines = answered.batch === undefined ? noLines : await judgeAnswers(call, answered.batch, policy);
    const judgeFacts = (response: Answered['facts']): Judgement => {
      const facts: Facts = { request: call.facts, response };
      return strictestOf(judge(policy, 'response', facts, answered.defects), lines);
    };
    const judgement = judgeFacts(answered.facts);
    if (judgement.action === 'hold') {
      const known = letThrough.among(call, answered.facts.toolCalls);
      const ofOthers = known.length === 0 ? judgement : judgeFacts(withoutKnown(answered.facts, known));
      // A person who has to rule all the same sees what rules say of all of it. What denies the rest only is no reason to deny.
      const isLetThrough = ofOthers.action === 'pass' || ofOthers.action === 'flag';
      if (isLetThrough) return { answered, judgement: ofOthers, lines, known };
    }
    return { answered, judgement, lines, known: noneKnown };
  } catch (error) {
    if (answered.passedBytes === 0) throw error;
    const failure = answered.failure ?? toHoldpointError(error);
    const { facts } = call.upstream.protocol.readResponse('unknown', answered.status, Buffer.alloc(0));
    const failed = { facts, failure, result: resultOfFailure(failure, call.caller), batch: undefined };
    return { answered: { ...answered, ...failed }, judgement: passed, lines: noLines, known: noneKnown };
  }
}
