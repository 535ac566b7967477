/** The page from top to bottom: what is handed in, how far it is, the verdict, the stories. */
import { type ComponentChild, h } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';
import { Decisions } from './decisions.ts';
import type { Desk } from './desk.ts';
import { GivenForm } from './given-form.ts';
import { Intake } from './intake.ts';
import { ProofReport } from './proof-report.ts';
import { StoryView } from './story-view.ts';
import { VerdictReport } from './verdict-report.ts';
import { Working } from './working.ts';

export function App({ desk }: { readonly desk: Desk }): ComponentChild {
  const [state, setState] = useState(desk.state());
  // In the same turn as the first drawing, so that nothing that changes before the first paint is missed.
  useLayoutEffect(() => {
    const drop = desk.subscribe(() => setState(desk.state()));
    return () => void drop();
  }, [desk]);
  const { verified, progress, proofVerdict, problem, refused, story } = state;
  return h('div', { class: 'verifier' }, [
    h('header', { class: 'bar' }, [
      h(Wordmark, {}),
      h('h1', null, 'Ledger verifier'),
      h('span', { class: 'spacer' }),
      h('span', { class: 'quiet offline' }, 'Works offline: nothing you drop here leaves this page'),
    ]),
    h('main', null, [
      h(Intake, { desk, isCompact: verified !== null || progress !== null || proofVerdict !== null }),
      refused.length > 0 &&
        h('div', { class: 'note', role: 'alert' }, [
          h('strong', null, 'Not taken'),
          h(
            'ul',
            null,
            refused.map((text) => h('li', { key: text }, text)),
          ),
        ]),
      h(GivenForm, { desk, state }),
      problem !== '' && h('p', { class: 'problem', role: 'alert' }, problem),
      progress !== null && h(Working, { desk, progress }),
      h('p', { class: 'sr-only', role: 'status' }, spoken(state)),
      proofVerdict !== null && h(ProofReport, { verdict: proofVerdict }),
      verified !== null && h(VerdictReport, { verified, files: state.ledger }),
      verified !== null &&
        (story === null ? h(Decisions, { desk, state, verified }) : h(StoryView, { desk, state, story })),
    ]),
  ]);
}

/** What a screen reader is told when something has come to its end. */
function spoken({ verified, proofVerdict, progress }: ReturnType<Desk['state']>): string {
  if (progress !== null) return 'Verifying';
  if (verified !== null) return verified.verdict.ok ? 'The ledger is intact' : 'The ledger is not intact';
  if (proofVerdict !== null) return proofVerdict.ok ? 'The entry is proven' : 'The entry is not proven';
  return '';
}

function Wordmark(): ComponentChild {
  return h('span', { class: 'wordmark' }, [
    h('svg', { viewBox: '0 0 32 32', width: 18, height: 18, 'aria-hidden': 'true' }, [
      h('rect', { width: 32, height: 32, rx: 8, fill: 'var(--accent)' }),
      h('path', {
        d: 'M11 8.5v15M21 8.5v15',
        stroke: 'var(--on-accent)',
        'stroke-width': 4,
        'stroke-linecap': 'round',
      }),
    ]),
    'Holdpoint',
  ]);
}
