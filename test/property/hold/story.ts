/** What a ledger says of each decision: the question, its hold, the answer and its hold, as they were sealed. */
import type { Entry } from '../../../src/ledger/entry.ts';
import { callOf } from './rules.ts';

export interface HoldStory {
  readonly entry: Entry;
  /** Everything that was sealed about it, in order. */
  readonly about: readonly Entry[];
  readonly rulings: readonly Entry[];
  /** What ended it; absent while it waits. */
  readonly final: Entry | undefined;
  readonly isReleased: boolean;
  readonly isAmended: boolean;
  /** Each time that what it held was about to go out. */
  readonly uses: readonly Entry[];
}

export interface DecisionStory {
  readonly request: Entry;
  readonly call: number;
  readonly responses: readonly Entry[];
  /** Holds of the question, and of the answer; more than one of either would be wrong. */
  readonly questions: readonly HoldStory[];
  readonly answers: readonly HoldStory[];
}

export function storiesIn(entries: readonly Entry[]): readonly DecisionStory[] {
  const holds = entries.filter(({ type }) => type === 'hold');
  return entries
    .filter(({ type }) => type === 'request')
    .map((request) => {
      const of = ({ data }: Entry): boolean => data['decision'] === request.seq;
      const heldIn = (phase: string): HoldStory[] =>
        holds
          .filter((hold) => of(hold) && hold.data['phase'] === phase)
          .map((hold) => holdStory(hold, entries));
      return {
        request,
        call: callOf(request.data['model']),
        responses: entries.filter((entry) => entry.type === 'response' && of(entry)),
        questions: heldIn('request'),
        answers: heldIn('response'),
      };
    });
}

function holdStory(entry: Entry, entries: readonly Entry[]): HoldStory {
  const about = entries.filter(({ data }) => data['hold'] === entry.seq);
  const rulings = about.filter(({ type }) => type === 'ruling');
  const final = rulings.find(({ data }) => data['final'] === true);
  const verdict = final?.data['verdict'];
  return {
    ...{ entry, about, rulings, final },
    isReleased: verdict === 'release' || verdict === 'amend',
    isAmended: verdict === 'amend',
    uses: about.filter(({ type, data }) => type === 'delivery' || data['action'] === 'redelivery'),
  };
}

/** It was let go, and that it was used is sealed. */
export function isUsed(hold: HoldStory | undefined): boolean {
  return hold?.isReleased === true && hold.uses.length > 0;
}
