/** What was said of a hold, who was on it and what was found: sealed as it was told, before the hold ended or after. */
import { expect } from 'vitest';
import { requester } from './rules.ts';
import type { Scene } from './scene.ts';
import type { Seen } from './seen.ts';
import type { HoldStory } from './story.ts';
import { isUnknown } from './told.ts';

const words = { comment: 'commented', assign: 'assigned', review: 'reviewed' } as const;

export function judgeActs(scene: Scene, { entry, about, final }: HoldStory, seen: Seen): void {
  const endedAt = final?.seq ?? Number.POSITIVE_INFINITY;
  for (const action of ['comment', 'assign', 'review'] as const) {
    const sealed = about.filter(({ data }) => data['action'] === action);
    const mine = scene.reviewers.acts.filter((act) => act.hold === entry.seq && act.action === action);
    const told = mine.filter(({ answer }) => answer === 'sealed');
    const unknown = mine.filter(({ answer }) => isUnknown(answer));
    expect(sealed.length).toBeGreaterThanOrEqual(told.length);
    expect(sealed.length).toBeLessThanOrEqual(told.length + unknown.length);
    // Nobody talks about what was ruled on; only what was ruled on is reviewed.
    for (const { seq } of sealed) expect(seq > endedAt).toBe(action === 'review');
    seen[words[action]] += sealed.length;
  }
  const reviews = about.filter(({ data }) => data['action'] === 'review');
  expect(reviews.length).toBeLessThanOrEqual(1);
  for (const { data } of reviews) {
    expect(final?.data['breakGlass']).toBe(true);
    expect([final?.data['by'], requester]).not.toContain(data['by']);
  }
}
