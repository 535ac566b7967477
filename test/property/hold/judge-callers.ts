/** What each caller was told: why there is no answer is true, and there is no other reason than these. */
import { expect } from 'vitest';
import type { Scene } from './scene.ts';
import type { Seen } from './seen.ts';
import type { DecisionStory } from './story.ts';

/** Whoever is told so may come again. */
const passing = new Set(['held', 'ledger_unavailable', 'overloaded']);

export function judgeCallers({ callers }: Scene, story: DecisionStory, seen: Seen): void {
  const { request, responses, questions, answers } = story;
  const verdicts = [...questions, ...answers].map(({ final }) => final?.data['verdict']);
  const isDenied = [request, ...responses].some(({ data }) => data['verdict'] === 'deny');
  const isReleased = [...questions, ...answers].some((hold) => hold.isReleased);
  for (const { heard } of callers) {
    const told = heard();
    if (told?.decision !== request.seq) continue;
    const code = /"code":"(\w+)"/.exec(told.body)?.[1] ?? '';
    const isBegun = told.status === 200;
    if (code === '') expect([200, 202]).toContain(told.status);
    else if (passing.has(code)) expect(isBegun || told.status === 503).toBe(true);
    else expect(isBegun || told.status === 403).toBe(true);
    if (code === 'denied_by_reviewer') expect(verdicts).toContain('deny');
    else if (code === 'hold_expired') expect(verdicts).toContain('expired');
    // What was released stays where it is while a policy denies it.
    else if (code === 'denied_by_policy') expect(isDenied || isReleased).toBe(true);
    else expect(code === '' || passing.has(code)).toBe(true);
    seen.toldOfRule += Number(code === 'denied_by_policy' && !isDenied);
  }
}
