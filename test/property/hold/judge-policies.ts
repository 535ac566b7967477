/** Each entry names the policy that was used, and what a newer one denies goes nowhere, whoever released it before. */
import { expect } from 'vitest';
import type { Entry } from '../../../src/ledger/entry.ts';
import { type Phase, type PolicyName, ruleOf, saidOf } from './policies.ts';
import { nameOf, policyOf } from './policy-text.ts';
import type { Kind } from './rules.ts';
import type { Scene } from './scene.ts';
import type { Seen } from './seen.ts';
import type { DecisionStory, HoldStory } from './story.ts';

export function judgePolicies(scene: Scene, story: DecisionStory, seen: Seen): void {
  const { request, responses, questions, answers, call } = story;
  const { inForce, kinds, watch } = scene;
  const kind = kinds[call];
  if (kind === undefined) throw new Error(`nobody made the call ${call}`);
  expect(policyOf(request)).toBe(inForce.get(request.seq));
  judgeVerdict(request, 'request', kind);
  if (saidOf(policyOf(request), 'request', kind)?.action === 'deny')
    expect(watch.sent.has(request.seq)).toBe(false);
  for (const response of responses) {
    // Whoever had to wait for a person gets the answer that is due by the time that it comes.
    const due = questions.length === 0 ? policyOf(request) : watch.sent.get(request.seq);
    expect(policyOf(response)).toBe(due);
    judgeVerdict(response, 'response', kind);
    if (watch.early.has(request.seq)) expect(['pass', 'flag']).toContain(response.data['verdict']);
    seen.answeredByLater += Number(policyOf(response) !== policyOf(request));
  }
  for (const [held, holds] of [
    [request, questions],
    [responses[0], answers],
  ] as const) {
    for (const hold of holds) {
      expect(held?.data['verdict']).toBe('hold');
      expect(hold.entry.data['policy']).toBe(held?.data['policy']);
      judgeReleases(scene, hold, kind, seen);
    }
  }
  seen.deniedByRule += [request, ...responses].filter(({ data }) => data['verdict'] === 'deny').length;
  seen.flagged += [request, ...responses].filter(({ data }) => data['verdict'] === 'flag').length;
}

function judgeVerdict({ data }: Entry, phase: Phase, kind: Kind): void {
  const said = saidOf(nameOf(data['policy']), phase, kind);
  // What was cut off is held besides.
  if (data['result'] === undefined || data['result'] === 'ok') {
    expect(data['verdict']).toBe(said?.action ?? 'pass');
    expect(data['rules']).toEqual(said === null ? [] : [ruleOf(phase, kind)]);
  } else if (said !== null) expect(data['rules']).toContain(ruleOf(phase, kind));
}

/** Neither released nor used under a policy that denies it; nobody is refused for that under one that does not. */
function judgeReleases({ house, inForce, reviewers }: Scene, hold: HoldStory, kind: Kind, seen: Seen): void {
  const { entry, rulings, uses } = hold;
  const phase: Phase = entry.data['phase'] === 'request' ? 'request' : 'response';
  const denies = (name: PolicyName | undefined): boolean =>
    name === undefined || saidOf(name, phase, kind)?.action === 'deny';
  for (const { seq, data } of [...rulings, ...uses]) {
    const isRefusal = data['verdict'] === 'deny' || data['verdict'] === 'expired';
    if (!isRefusal) expect(denies(inForce.get(seq))).toBe(false);
    const isLater = inForce.get(seq) !== policyOf(entry);
    seen.ruledUnderLater += Number(
      isLater && data['by'] !== 'holdpoint' && rulings.some((one) => one.seq === seq),
    );
    seen.usedUnderLater += Number(isLater && uses.some((one) => one.seq === seq));
  }
  const until = rulings.at(-1)?.seq ?? 0;
  const isStart = ({ type, seq }: Entry): boolean => type === 'start' && entry.seq < seq && seq < until;
  const isOther = inForce.get(until) !== policyOf(entry);
  seen.restoredUnderLater += Number(isOther && house.entries().some(isStart));
  for (const { hold: seq, answer, verdict, askedUnder, answeredUnder } of reviewers.rulings) {
    if (seq !== entry.seq) continue;
    const isSteady = askedUnder === answeredUnder;
    if (verdict === 'deny' || (isSteady && !denies(nameOf(askedUnder))))
      expect(answer).not.toBe('policy_changed');
    seen.refusedByLater += Number(answer === 'policy_changed');
  }
}

/** Whatever is in force can be read back, from before anything was judged by it; and the last one that was sealed is. */
export function judgeRules({ process, rules }: Scene, entries: readonly Entry[], seen: Seen): void {
  const known = new Set<unknown>();
  let last: PolicyName = 'broken';
  for (const { type, data } of entries) {
    if (type === 'policy') {
      expect(data['result']).toBe(nameOf(data['digest']) === 'broken' ? 'refused' : 'loaded');
      seen.rulesRefused += Number(data['result'] === 'refused');
      if (data['result'] !== 'loaded') continue;
      expect(data['version']).toBe(nameOf(data['digest']));
      seen.rulesChanged += Number(known.size > 0 && nameOf(data['digest']) !== last);
      known.add(data['digest']);
      last = nameOf(data['digest']);
    } else if (type === 'request' || type === 'response' || type === 'hold')
      expect(known).toContain(data['policy']);
  }
  const inForce = nameOf(process().policyFile.current().digest);
  expect(last).toBe(inForce);
  // In the end what stands in the file is in force, where it loads.
  if (rules.name() !== 'broken') expect(inForce).toBe(rules.name());
}
