/** How decisions end, and what rules say of a call: the closed sets of the format. Portable; imports nothing. */
export const outcomes = [
  'delivered',
  'denied',
  'expired',
  'released_undelivered',
  'client_abort',
  'upstream_error',
  'upstream_truncated',
  'interrupted',
  'ledger_unavailable',
  'carried',
  'reported',
] as const;
export type Outcome = (typeof outcomes)[number];

export const verdicts = ['pass', 'flag', 'hold', 'deny'] as const;
export type RuleVerdict = (typeof verdicts)[number];
