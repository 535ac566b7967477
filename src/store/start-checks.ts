/** How much of a ledger is checked before a start goes on from it; `verify` checks all of it. */

/** Of the newest leaves, at least. */
export const startTailBytes = 256 * 1024;
/** Of LevelDB's tables, the newest first: it opens without a word after a bit of one was flipped. */
export const startTableBytes = 2 * 1024 * 1024;
