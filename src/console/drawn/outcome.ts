/** How a decision ended, in words and with a shape of its own beside the colour. */
import { type ComponentChild, h } from 'preact';

type Tone = 'good' | 'stopped' | 'broken' | 'open';

const words: Readonly<Record<string, readonly [string, Tone]>> = {
  delivered: ['delivered', 'good'],
  carried: ['carried', 'good'],
  reported: ['reported, made elsewhere', 'open'],
  denied: ['denied', 'stopped'],
  expired: ['expired', 'stopped'],
  released_undelivered: ['released, not collected', 'broken'],
  client_abort: ['caller left', 'broken'],
  upstream_error: ['upstream error', 'broken'],
  upstream_truncated: ['upstream cut off', 'broken'],
  interrupted: ['interrupted', 'broken'],
  ledger_unavailable: ['ledger unavailable', 'broken'],
};

const marks: Readonly<Record<Tone, string>> = { good: '✓', stopped: '■', broken: '!', open: '…' };

/** An outcome's words; an unknown one is shown as it is. */
export function outcomeWords(outcome: string): string {
  return outcome === '' ? 'open' : (words[outcome]?.[0] ?? outcome);
}

export function OutcomeMark({ outcome }: { readonly outcome: string }): ComponentChild {
  const tone = outcome === '' ? 'open' : (words[outcome]?.[1] ?? 'open');
  return h('span', { class: `outcome outcome-${tone}` }, [
    h('span', { class: 'outcome-shape', 'aria-hidden': 'true' }, marks[tone]),
    h('span', null, outcomeWords(outcome)),
  ]);
}

/** What the rules said; that they said nothing is not worth a word. */
export function VerdictMark({ verdict }: { readonly verdict: string }): ComponentChild {
  return h('span', { class: `flag verdict-mark verdict-mark-${verdict}` }, verdict);
}
