/** What a pass knows of decisions: those that are open, a bounded memory of those that closed, and counts. Portable. */
import { type Carriers, createCarriers } from './carriers.ts';
import type { Decision } from './decision.ts';
import { createLatest, type Latest } from './latest.ts';
import type { Outcome } from './outcomes.ts';
import { createOversight, type Oversight } from './oversight.ts';
import { createPartSet, type PartSet } from './part-set.ts';
import { nobodyTwice, type People } from './people.ts';
import { createReviewers, type Reviewers } from './reviewers.ts';

/** How many closed decisions are remembered. */
const closedMax = 65_536;

export interface Decisions {
  /** In the order of their requests. */
  readonly open: Map<number, Decision>;
  readonly byOutcome: Record<Outcome, number>;
  total: number;
  /** Decisions that were made elsewhere and told to this ledger; no exchange passed here. */
  reported: number;
  /** Tunnelled connections, whose content is not in the ledger. */
  unrecorded: number;
  /** Releases sealed later than their hold's expiry, by the wall clock. */
  lateRulings: number;
  /** Releases by one person alone. */
  glassBroken: number;
  /** How often the ledger went on from a backup, and how many entries are known to be gone since. */
  restores: number;
  lostEntries: number;
  readonly reviewers: Reviewers;
  readonly oversight: Oversight;
  /** As the last `start` says. */
  people: People;
  /** Decisions whose answer, with calls in it, was released as it came and handed over; half a byte per entry at most. */
  readonly letThrough: PartSet;
  /** What lines of batches may name. */
  readonly carriers: Carriers;
  /** The last that closed, to tell a repeated outcome from one of no decision. */
  readonly closed: Latest<true>;
  /** Closed decisions whose held bytes may be handed over again to a retry. */
  readonly redeliverable: Latest<Decision>;
}

export function createDecisions(): Decisions {
  return {
    open: new Map(),
    byOutcome: {
      delivered: 0,
      denied: 0,
      expired: 0,
      released_undelivered: 0,
      client_abort: 0,
      upstream_error: 0,
      upstream_truncated: 0,
      interrupted: 0,
      ledger_unavailable: 0,
      carried: 0,
      reported: 0,
    },
    total: 0,
    reported: 0,
    unrecorded: 0,
    lateRulings: 0,
    glassBroken: 0,
    restores: 0,
    lostEntries: 0,
    reviewers: createReviewers(),
    oversight: createOversight(),
    people: nobodyTwice,
    letThrough: createPartSet(),
    carriers: createCarriers(),
    closed: createLatest(closedMax),
    redeliverable: createLatest(closedMax),
  };
}
