/** How much of a ledger is checked before a start goes on from it; `verify` checks all of it. */

/** Of the newest leaves, at least. */
export const startTailBytes = 256 * 1024;
/**
 * Of LevelDB's tables, the newest first: it opens without a word after a bit of one was flipped. More than the table that
 * has the newest entries: an erasure makes newer ones of older entries.
 */
export const startTableBytes = 8 * 1024 * 1024;
