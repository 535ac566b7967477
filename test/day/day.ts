/**
 * A day on which everything happens at once, to real processes on one ledger: calls of every kind, rulings, new keys, new
 * rules, erasures, legal holds, backups, exports, proofs, kills and restarts. `afterwards.ts` says what must hold at its end.
 */
import { seeded } from '../crash/rounds.ts';
import { callAll, type Received } from './callers.ts';
import { type Provider, startProvider } from './cases.ts';
import { begin, type Morning } from './morning.ts';
import { closeOffices, type Kept, keepOffice, offices } from './officers.ts';
import { review } from './reviewer.ts';

export interface Day {
  readonly morning: Morning;
  readonly provider: Provider;
  readonly received: readonly Received[];
  readonly kept: Kept;
}

const callers = 8;
/** A number that is nowhere else in an answer. */
const firstCase = 400_000;
/** An era ends after so many answers. */
const eraAnswersMax = 60;
/** The share of ends by force. */
const byForce = 0.7;

/** Lives through a day of so many cases for each caller; the sidecar has ended when it resolves. */
export async function live(seed: number, casesEach: number): Promise<Day> {
  const random = seeded(seed);
  const provider = await startProvider();
  const morning = await begin(provider.url, random);
  const received: Received[] = [];
  const kept: Kept = {
    checkpoints: [],
    backups: [],
    exports: [],
    erasures: [],
    rotations: 0,
    epochs: 0,
    proofs: 0,
    rulings: 0,
  };
  let allAnswered = false;
  let over = false;
  const calling = Promise.all(
    Array.from({ length: callers }, (_, at) =>
      callAll(morning, firstCase + at * casesEach, casesEach, received),
    ),
  ).finally(() => {
    allAnswered = true;
  });
  const working = Promise.all([
    review(
      morning,
      () => over,
      () => {
        kept.rulings += 1;
      },
    ),
    ...offices.map((duties) => keepOffice(morning, duties, () => over, kept)),
  ]);
  const done = calling.then(() => 'done' as const);
  while (!allAnswered) {
    const era = morning.afterAnswers(1 + Math.floor(random() * eraAnswersMax));
    // Work that fails ends the day at once.
    const ended = await Promise.race([
      era.then(() => 'era' as const),
      done,
      working.then(() => 'done' as const),
    ]);
    if (ended === 'era' && !allAnswered) await morning.startAgain(random() < byForce);
  }
  await calling;
  over = true;
  await working;
  await closeOffices(morning, kept);
  await morning.stop();
  return { morning, provider, received, kept };
}
