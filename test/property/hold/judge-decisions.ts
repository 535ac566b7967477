/** What must be true of one decision when everything has come to its end, by rules written down here again. */
import { expect } from 'vitest';
import type { Entry } from '../../../src/ledger/entry.ts';
import type { Caller } from './caller.ts';
import { saidOf } from './policies.ts';
import { policyOf } from './policy-text.ts';
import type { Kind } from './rules.ts';
import { amendedAnswer } from './ruling-desk.ts';
import type { Scene } from './scene.ts';
import type { Seen } from './seen.ts';
import { type DecisionStory, type HoldStory, isUsed } from './story.ts';
import { answerIn } from './watch.ts';

export function judgeDecision(
  scene: Scene,
  story: DecisionStory,
  outcomes: readonly string[],
  seen: Seen,
): void {
  const kind = scene.kinds[story.call];
  if (kind === undefined) throw new Error(`nobody made the call ${story.call}`);
  expect(outcomes).toHaveLength(1);
  const [outcome = ''] = outcomes;
  judgeOrder(story, kind);
  judgeQuestion(scene, story, seen);
  judgeOutcome(story, outcome);
  judgeDelivery(scene, story, kind, outcome, seen);
  countTwiceHeld(scene, story, outcome, seen);
}

/** The question is held before the answer is there, and each at most once and over the bytes that are its own. */
function judgeOrder({ request, responses, questions, answers }: DecisionStory, kind: Kind): void {
  const [question, ...furtherQuestions] = questions;
  const [response, ...furtherResponses] = responses;
  const [answer, ...furtherAnswers] = answers;
  expect([...furtherQuestions, ...furtherResponses, ...furtherAnswers]).toEqual([]);
  if (question !== undefined) judgeBytes(question, request);
  if (response !== undefined && saidOf(policyOf(request), 'request', kind)?.action === 'hold') {
    expect(isUsed(question)).toBe(true);
    expect(question?.uses[0]?.seq).toBeLessThan(response.seq);
  }
  if (answer === undefined) return;
  if (response === undefined) throw new Error('an answer was held that is not there');
  judgeBytes(answer, response);
}

function judgeBytes({ entry, final, isAmended, uses }: HoldStory, held: Entry): void {
  expect(entry.seq).toBeGreaterThan(held.seq);
  expect(entry.data['digest']).toBe(held.parts[0]?.c);
  const amendment = final?.parts.find(({ name }) => name === 'amendment')?.c;
  for (const { seq, data } of uses) {
    expect(data['digest']).toBe(isAmended ? amendment : held.parts[0]?.c);
    expect(final?.seq).toBeLessThan(seq);
  }
}

/** A released question is used once, and the provider asked once at most: not at all where the process died first. */
function judgeQuestion(
  { watch }: Scene,
  { request, questions: [hold], responses }: DecisionStory,
  seen: Seen,
): void {
  const isSent = watch.sent.has(request.seq);
  if (responses.length > 0) expect(isSent).toBe(true);
  seen.asked += Number(isSent);
  if (hold === undefined) return;
  expect(hold.uses.length).toBeLessThanOrEqual(Number(hold.isReleased));
  if (hold.uses.length === 0) expect(isSent).toBe(false);
  seen.amendedQuestions += Number(isSent && hold.isAmended);
}

/** Who said no, or nobody in time, is what became of the decision. */
function judgeOutcome({ request, responses, questions, answers }: DecisionStory, outcome: string): void {
  const verdicts = [...questions, ...answers].map(({ final }) => final?.data['verdict']);
  // What a rule denied may not have come to its end.
  const byRule = [request, ...responses].some(({ data }) => data['verdict'] === 'deny');
  if (byRule) expect(['denied', 'interrupted', 'ledger_unavailable', 'client_abort']).toContain(outcome);
  else expect(verdicts.includes('deny')).toBe(outcome === 'denied');
  expect(verdicts.includes('expired')).toBe(outcome === 'expired');
  // What was released waits for its caller, whatever goes wrong when one collects it.
  const last = answers[0] ?? questions[0];
  if (last?.isReleased === true && last.uses.length === 0) expect(outcome).toBe('released_undelivered');
}

function judgeDelivery(
  { callers, provider }: Scene,
  { request, call, answers: [hold] }: DecisionStory,
  kind: Kind,
  outcome: string,
  seen: Seen,
): void {
  const given = callers.filter((caller) => isGiven(caller, request.seq));
  const whole = given.filter((caller) => caller.heard()?.whole === true);
  const expected =
    hold?.isAmended === true
      ? [amendedAnswer(kind, String(hold.final?.data['by']))]
      : provider.asked.filter((asked) => asked.call === call).map(({ answer }) => answer);
  // Whoever has all of it has the same bytes, and they are those that were let go.
  for (const caller of whole) expect(expected).toContain(textOf(caller));
  expect(new Set(whole.map(textOf)).size).toBeLessThanOrEqual(1);
  // Whoever has it a second time asked for it as a retry, and every hand-over is sealed, each before its first byte.
  expect(whole.slice(1).every(({ marked }) => marked)).toBe(true);
  if (hold === undefined) expect(given.length).toBeLessThanOrEqual(1);
  else expect(given.length).toBeLessThanOrEqual(hold.uses.length);
  if (hold?.isReleased === false) expect(hold.uses).toEqual([]);
  if (outcome === 'delivered') expect(whole.length).toBeGreaterThan(0);
  seen.delivered += Number(outcome === 'delivered');
  seen.redelivered += hold?.uses.filter(({ type }) => type === 'access').length ?? 0;
  seen.amendedAnswers += Number(outcome === 'delivered' && hold?.isAmended === true);
}

function isGiven(caller: Caller, decision: number): boolean {
  const heard = caller.heard();
  return heard?.decision === decision && answerIn(heard, caller.kind) !== null;
}

function textOf(caller: Caller): string {
  const heard = caller.heard();
  return (heard === null ? null : answerIn(heard, caller.kind)) ?? '';
}

function countTwiceHeld(
  { house }: Scene,
  { questions: [question], answers: [answer] }: DecisionStory,
  outcome: string,
  seen: Seen,
): void {
  if (question === undefined || answer === undefined) return;
  const [from, to] = [question.final?.seq ?? 0, answer.final?.seq ?? 0];
  const isStart = ({ seq, type }: Entry): boolean => type === 'start' && from < seq && seq < to;
  seen.heldTwice += 1;
  seen.deliveredTwiceHeld += Number(outcome === 'delivered');
  seen.deniedSecond += Number(outcome === 'denied');
  seen.expiredSecond += Number(outcome === 'expired');
  seen.restartedBetween += Number(house.entries().some(isStart));
}
