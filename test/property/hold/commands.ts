/** What people and callers do about calls and their holds, as commands that fast-check puts in any order and shrinks. */
import fc from 'fast-check';
import type { HumanVerdict } from '../../../src/hold/state.ts';
import { befalling } from './befalling.ts';
import type { Manner } from './caller.ts';
import { act, type Command, type Commands, command } from './command.ts';
import { escalatesInMs, expiresInMs } from './policies.ts';
import { people, roles } from './rules.ts';

const callsMax = 3;
const call = fc.constantFrom(0, 0, 1, 2);
/** Of a hold, counted back from the newest. */
const which = fc.constantFrom(0, 0, 0, 1, 2);
const person = fc.constantFrom(...people);
const verdict = fc.constantFrom<HumanVerdict>('release', 'release', 'deny', 'deny', 'amend');

const asking: Commands = fc
  .record({
    question: fc.constantFrom(1, 1, 0, 2),
    answer: fc.constantFrom(1, 1, 0, 2, 3),
    streams: fc.boolean(),
  })
  .map((kind) =>
    command(
      `ask(${kind.question}, ${kind.answer}${kind.streams ? ', streams' : ''})`,
      ({ calls }) => calls < callsMax,
      async (known, scene) => {
        known.calls += 1;
        await scene.ask(kind);
      },
    ),
  );

const comingBack: Commands = fc
  .tuple(call, fc.boolean(), fc.constantFrom<Manner>('reads', 'reads', 'reads', 'stalls', 'hurries'))
  .map(([at, marked, manner]) =>
    command(
      `comeBack(${at}, ${marked}, ${manner})`,
      ({ calls }) => at < calls,
      (_known, scene) => scene.comeBack(at, marked, manner),
    ),
  );

const rule = act<[number, string, HumanVerdict, (typeof roles)[number]]>(
  'rule',
  [which, person, verdict, fc.constantFrom('reviewer', ...roles)],
  (scene, ...ruling) => scene.reviewers.rule(...ruling),
);
/** Everybody who may releases it: so that more of them come to their second hold, and to an end. */
const letGo = act<[number, (typeof roles)[number], (typeof roles)[number]]>(
  'letGo',
  [
    which,
    fc.constantFrom('reviewer', 'reviewer', ...roles),
    fc.constantFrom('reviewer', 'reviewer', ...roles),
  ],
  ({ reviewers }, at, role, lastRole) => {
    for (const by of people) reviewers.rule(at, by, 'release', by === 'cyd' ? lastRole : role);
  },
);
/** Whose approval counts no more when the next one gives theirs. */
const approveAndGo = act<[number, string]>('approveAndGo', [which, person], ({ reviewers }, at, by) => {
  reviewers.rule(at, by, 'release', 'reviewer');
  reviewers.withdraw(by);
});
/** Whatever can go on by itself does. */
const goOn = act<[]>('goOn', [], (scene) => scene.advance(1));
const giveBack = act<[string]>('giveBack', [person], ({ reviewers }, name) => reviewers.giveBack(name));
/** Only of what one person released alone, which is rare: so it is tried often. */
const review = act<[number, string]>('review', [which, person], ({ reviewers }, ...found) =>
  reviewers.review(...found),
);
/** Only of what was lent, which is rare: so it is tried often. */
const ruleInStead = act<[number, number, HumanVerdict]>(
  'ruleInStead',
  [which, fc.nat(3), verdict],
  ({ reviewers }, ...ruling) => reviewers.ruleInStead(...ruling),
);

const doings: readonly Commands[] = [
  ...[
    rule,
    rule,
    approveAndGo,
    letGo,
    letGo,
    goOn,
    goOn,
    comingBack,
    comingBack,
    review,
    review,
    ruleInStead,
    ruleInStead,
  ],
  act<[number, string, HumanVerdict]>('ruleAstray', [which, person, verdict], ({ reviewers }, ...ruling) =>
    reviewers.ruleAstray(...ruling),
  ),
  act<[number, string]>('breakGlass', [which, person], ({ reviewers }, ...by) => reviewers.breakGlass(...by)),
  act<[number, string]>('comment', [which, person], ({ reviewers }, ...by) => reviewers.comment(...by)),
  act<[number, string, string]>(
    'assign',
    [which, person, fc.constantFrom(...people, '')],
    ({ reviewers }, ...by) => reviewers.assign(...by),
  ),
  act<[string]>('withdraw', [person], ({ reviewers }, name) => reviewers.withdraw(name)),
  ...[giveBack, giveBack],
  act<[string, string, number]>(
    'lend',
    [person, person, fc.constantFrom(1_000, escalatesInMs, 2 * expiresInMs)],
    ({ reviewers }, ...lent) => reviewers.lend(...lent),
  ),
  act<[string]>('endLending', [person], ({ reviewers }, by) => reviewers.endLending(by)),
  act<[number]>('leave', [call], (scene, at) => scene.leave(at)),
  act<[number]>(
    'advance',
    [
      fc.constantFrom(
        ...[1_000, 1_000, 1_000, 1_000, 11_000, 20_000],
        ...[escalatesInMs, expiresInMs - 1, expiresInMs, 16 * 60_000],
      ),
    ],
    (scene, ms) => scene.advance(ms),
  ),
];

/** Histories; what people and callers do comes more often than what befalls the process. */
export function histories(lengthMax: number): fc.Arbitrary<Iterable<Command>> {
  return fc.commands([asking, ...doings, ...doings, ...doings, ...befalling], {
    maxCommands: lengthMax,
    size: 'max',
  });
}
