/** What befalls the sidecar: its disk and its provider stand still or fail, its rules change, it stops and dies. */
import fc from 'fast-check';
import { act, type Commands, command } from './command.ts';
import { type PolicyName, policyNames, startsWith } from './policies.ts';
import { people } from './rules.ts';

const person = fc.constantFrom(...people);

/** The disk and the provider stand still, and go on. */
const stalling: readonly Commands[] = [
  fc.constant(
    command(
      'holdCommits',
      ({ isFrozen }) => !isFrozen,
      (known, scene) => {
        known.isFrozen = true;
        scene.holdCommits();
      },
    ),
  ),
  fc.constant(
    command(
      'letCommits',
      ({ isFrozen }) => isFrozen,
      async (known, scene) => {
        known.isFrozen = false;
        await scene.letCommits();
      },
    ),
  ),
  fc.constant(
    command(
      'holdReads',
      ({ isUnread }) => !isUnread,
      (known, scene) => {
        known.isUnread = true;
        scene.holdReads();
      },
    ),
  ),
  fc.constant(
    command(
      'letReads',
      ({ isUnread }) => isUnread,
      async (known, scene) => {
        known.isUnread = false;
        await scene.letReads();
      },
    ),
  ),
  fc.constant(
    command(
      'holdAnswers',
      ({ isSlow }) => !isSlow,
      (known, scene) => {
        known.isSlow = true;
        scene.holdAnswers();
      },
    ),
  ),
  fc.constant(
    command(
      'letAnswers',
      ({ isSlow }) => isSlow,
      async (known, scene) => {
        known.isSlow = false;
        await scene.letAnswers();
      },
    ),
  ),
];

const mendDisk: Commands = fc.constant(
  command(
    'mendDisk',
    ({ isFailing }) => isFailing,
    async (known, scene) => {
      known.isFailing = false;
      await scene.mendDisk();
    },
  ),
);

/** The disk refuses what is sealed, and takes it again. */
const failing: readonly Commands[] = [
  fc.constantFrom('before' as const, 'after' as const).map((fate) =>
    command(
      `failDisk(${fate})`,
      ({ isFailing }) => !isFailing,
      (known, scene) => {
        known.isFailing = true;
        scene.failDisk(fate);
      },
    ),
  ),
  ...[mendDisk, mendDisk],
];

const accidents: readonly Commands[] = [
  act<[string]>('grant', [person], (scene, name) => scene.grant(name)),
  act<[]>('refuseNextSeal', [], (scene) => scene.refuseNextSeal()),
];

const rules = fc.constantFrom<PolicyName>(startsWith, startsWith, ...policyNames, 'broken');

/** Other rules come, or some that do not load, or the first ones again. */
const changeRules = act<[PolicyName, 'told' | 'found']>(
  'changeRules',
  [rules, fc.constantFrom('told', 'told', 'found')],
  (scene, ...change) => scene.changeRules(...change),
);

/** The sidecar stops or dies, and may start on other rules. */
const restart: Commands = fc
  .tuple(
    fc.constantFrom<'stop' | 'kill'>('stop', 'kill', 'kill'),
    fc.oneof({ arbitrary: fc.constant(null), weight: 3 }, { arbitrary: rules, weight: 1 }),
  )
  .map(([how, name]) =>
    command(
      `restart(${how}${name === null ? '' : `, ${name}`})`,
      () => true,
      async (known, scene) => {
        known.isFrozen = false;
        known.isUnread = false;
        known.isFailing = false;
        known.isSlow = false;
        if (name !== null) scene.rules.write(name);
        await scene.restart(how);
      },
    ),
  );

export const befalling: readonly Commands[] = [
  ...[...stalling, ...stalling, ...failing, ...accidents],
  ...[changeRules, changeRules, restart, restart, restart],
];
