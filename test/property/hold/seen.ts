/** How often each thing happened in the histories that were played: one in which nothing does would show nothing. */

export function nothingSeen() {
  return {
    ...{ histories: 0, released: 0, amended: 0, denied: 0, expired: 0, refused: 0, astray: 0, uncounted: 0 },
    ...{ asked: 0, amendedQuestions: 0, delivered: 0, redelivered: 0, amendedAnswers: 0 },
    // A question and its answer, both held: what became of such decisions.
    ...{ heldTwice: 0, deliveredTwiceHeld: 0, deniedSecond: 0, expiredSecond: 0, restartedBetween: 0 },
    ...{ glassBroken: 0, reviewed: 0, commented: 0, assigned: 0, escalated: 0, ruledByChief: 0 },
    ...{ lent: 0, ruledInStead: 0 },
    // Other rules came, or some that do not load, and what became of what was held before.
    ...{ rulesChanged: 0, rulesRefused: 0, deniedByRule: 0, flagged: 0, answeredByLater: 0 },
    ...{ ruledUnderLater: 0, usedUnderLater: 0, refusedByLater: 0, restoredUnderLater: 0, toldOfRule: 0 },
    // The ledger failed and was opened again, and what somebody was told failed is sealed all the same.
    ...{ outages: 0, sealedUntold: 0 },
  };
}

export type Seen = ReturnType<typeof nothingSeen>;
