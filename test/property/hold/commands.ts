/** What can happen to holds, as commands that fast-check puts in any order and shrinks. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { HumanVerdict } from '../../../src/hold/state.ts';
import { escalatesInMs, expiresInMs, people, roles, type Scene } from './scene.ts';

/** What is known without looking: how many holds there are, and whether commits wait. */
export interface Known {
  holds: number;
  waiting: boolean;
}
type Command = fc.AsyncCommand<Known, Scene>;

function command(
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

/** True at every moment: nobody was given what nobody released, nor two callers one release at once. */
function expectNothingLeaked(scene: Scene): void {
  expect(scene.shared).toEqual([]);
  for (const hold of scene.queue().list()) {
    const released = hold.state.status === 'released' || hold.state.status === 'amended';
    if (hold.outcome === 'delivered') expect(released).toBe(true);
    if (hold.deliveryAttempts > 0) expect(released).toBe(true);
  }
}

const holdsMax = 3;
const place = fc.constantFrom(0, 0, 1, 2);
const any = (): boolean => true;
const some = ({ holds }: Readonly<Known>): boolean => holds > 0;

const openings: readonly fc.Arbitrary<Command>[] = [
  fc.integer({ min: 1, max: 3 }).map((approvals) =>
    command(
      `open(${approvals})`,
      ({ holds }) => holds < holdsMax,
      async (known, scene) => {
        known.holds += 1;
        known.waiting = false;
        await scene.openHold(approvals);
      },
    ),
  ),
];
/** Only of what one person released alone, which is rare: so it is tried often. */
const review: fc.Arbitrary<Command> = fc
  .tuple(place, fc.constantFrom(...people))
  .map(([at, by]) => command(`review(${at}, ${by})`, some, (_known, scene) => scene.review(at, by)));
const person = fc.constantFrom(...people);
/** Only of what was lent, which is rare: so it is tried often. */
const ruleInStead: fc.Arbitrary<Command> = fc
  .tuple(place, fc.nat(3), fc.constantFrom<HumanVerdict>('release', 'release', 'deny', 'amend'))
  .map(([at, which, verdict]) =>
    command(`ruleInStead(${at}, ${which}, ${verdict})`, some, (_known, scene) =>
      scene.ruleInStead(at, which, verdict),
    ),
  );
const acts: readonly fc.Arbitrary<Command>[] = [
  fc
    .tuple(
      place,
      fc.constantFrom(...people),
      fc.constantFrom<HumanVerdict>('release', 'release', 'deny', 'deny', 'amend'),
      fc.constantFrom('reviewer', ...roles),
    )
    .map(([at, by, verdict, role]) =>
      command(`rule(${at}, ${by}, ${verdict}, ${role})`, some, (_known, scene) =>
        scene.rule(at, by, verdict, role),
      ),
    ),
  fc
    .tuple(place, fc.constantFrom(...people))
    .map(([at, by]) =>
      command(`breakGlass(${at}, ${by})`, some, (_known, scene) => scene.breakGlass(at, by)),
    ),
  fc
    .tuple(place, fc.constantFrom(...people))
    .map(([at, by]) => command(`comment(${at}, ${by})`, some, (_known, scene) => scene.comment(at, by))),
  fc
    .tuple(place, fc.constantFrom(...people), fc.constantFrom(...people, ''))
    .map(([at, by, to]) =>
      command(`assign(${at}, ${by}, ${to})`, some, (_known, scene) => scene.assign(at, by, to)),
    ),
  review,
  review,
  review,
  fc
    .tuple(person, person, fc.constantFrom(1_000, escalatesInMs, 2 * expiresInMs))
    .map(([by, to, ms]) =>
      command(`lend(${by}, ${to}, ${ms})`, any, (_known, scene) => scene.lend(by, to, ms)),
    ),
  person.map((by) => command(`endLending(${by})`, any, (_known, scene) => scene.endLending(by))),
  ruleInStead,
  ruleInStead,
  ruleInStead,
  fc.constant(
    command(
      'holdCommits',
      ({ waiting }) => !waiting,
      (known, scene) => {
        known.waiting = true;
        scene.holdCommits();
      },
    ),
  ),
  fc.constant(
    command(
      'letCommits',
      ({ waiting }) => waiting,
      async (known, scene) => {
        known.waiting = false;
        await scene.letCommits();
      },
    ),
  ),
  fc
    .constantFrom(1, 1, 1_000, 1_000, 1_000, 20_000, escalatesInMs, expiresInMs - 1, expiresInMs, 16 * 60_000)
    .map((ms) => command(`advance(${ms})`, some, (_known, scene) => scene.advance(ms))),
  place.map((at) => command(`leave(${at})`, some, (_known, scene) => scene.leave(at))),
  fc
    .tuple(place, fc.boolean(), fc.boolean())
    .map(([at, marked, arrives]) =>
      command(`comeBack(${at}, ${marked}, ${arrives})`, some, (_known, scene) =>
        scene.comeBack(at, marked, arrives),
      ),
    ),
];
const accidents: readonly fc.Arbitrary<Command>[] = [
  fc.constant(command('reload', any, (_known, scene) => scene.reload())),
  person.map((name) => command(`grant(${name})`, any, (_known, scene) => scene.grant(name))),
  fc.constant(command('refuseNextSeal', any, (_known, scene) => scene.refuseNextSeal())),
  fc.constantFrom<'stop' | 'kill'>('stop', 'kill').map((how) =>
    command(`restart(${how})`, some, async (known, scene) => {
      known.waiting = false;
      await scene.restart(how);
    }),
  ),
];

/** Histories; what people and callers do comes more often than what befalls the process. */
export function histories(lengthMax: number): fc.Arbitrary<Iterable<Command>> {
  return fc.commands([...openings, ...acts, ...acts, ...acts, ...accidents], {
    maxCommands: lengthMax,
    size: 'max',
  });
}
