/** One thing that happens in a history, and what must be true after each of them. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { expectDemanded } from './judge-demands.ts';
import type { Scene } from './scene.ts';

/** What is known without looking: how many calls were made, whether commits or reads wait or fail, and whether the provider is slow. */
export interface Known {
  calls: number;
  isFrozen: boolean;
  isUnread: boolean;
  isFailing: boolean;
  isSlow: boolean;
}
export type Command = fc.AsyncCommand<Known, Scene>;
export type Commands = fc.Arbitrary<Command>;

export function command(
  name: string,
  check: (known: Readonly<Known>) => boolean,
  run: (known: Known, scene: Scene) => Promise<void> | void,
): Command {
  return {
    check: (known) => check(known),
    run: async (known, scene) => {
      await run(known, scene);
      expectNothingLeaked(scene);
    },
    toString: () => name,
  };
}

/** True at every moment: nothing went out that nobody released, and memory does not think so either, nor that anything else was demanded. */
function expectNothingLeaked(scene: Scene): void {
  expect(scene.watch.violations).toEqual([]);
  for (const hold of scene.process().queue.list()) {
    const isReleased = hold.state.status === 'released' || hold.state.status === 'amended';
    if (hold.outcome === 'delivered' || hold.deliveryAttempts > 0) expect(isReleased).toBe(true);
    expectDemanded(hold, scene.kindOfDecision(hold.decision));
  }
}

/** What somebody does, with `parts` that are drawn; whether it does anything is found out when it is played. */
export function act<Parts extends unknown[]>(
  name: string,
  parts: { [Place in keyof Parts]: fc.Arbitrary<Parts[Place]> },
  run: (scene: Scene, ...parts: Parts) => Promise<void> | void,
): Commands {
  return fc.tuple<Parts>(...parts).map((drawn) =>
    command(
      `${name}(${drawn.join(', ')})`,
      () => true,
      (_known, scene) => run(scene, ...drawn),
    ),
  );
}
