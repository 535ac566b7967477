/** To have content erased: first it is looked at what that would be, then the same order goes, and nobody gets it back. */
import { type ComponentChild, h } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { Erasure } from '../answers/erasure-data.ts';
import type { Desk } from '../desk/desk.ts';
import type { ErasureOrder } from '../desk/desk-privacy.ts';
import { problemOf } from '../hold/ruling-panel.ts';
import { counted } from '../words/counts.ts';
import { ErasureResult } from './erasure-result.ts';
import { ScopeFields, targetIn, textOf } from './scope-fields.ts';

/** Article 17(1) of the GDPR, (a) to (f). */
const bases = [
  ['objection', 'The person objects (17(1)(c))'],
  ['consent_withdrawn', 'Consent was withdrawn (17(1)(b))'],
  ['no_longer_needed', 'No longer needed for its purpose (17(1)(a))'],
  ['unlawful', 'It was processed unlawfully (17(1)(d))'],
  ['legal_obligation', 'The law demands it (17(1)(e))'],
  ['child_consent', 'Collected from a child online (17(1)(f))'],
] as const;

interface EraseProps {
  readonly desk: Desk;
  /** The id of the decision that it begins with; '' for none. */
  readonly decision: string;
  /** An erasure was asked for, or has ended. */
  readonly onChange: () => void;
}

interface Asked {
  readonly order: ErasureOrder;
  readonly begun: Erasure;
}

export function EraseSection({ desk, decision, onChange }: EraseProps): ComponentChild {
  const [asked, setAsked] = useState<Asked | null>(null);
  const [isSending, setSending] = useState(false);
  const [problem, setProblem] = useState('');
  /** Of what the form says now: an answer to what it said before is dropped. */
  const wanted = useRef(0);

  function clear(): number {
    wanted.current += 1;
    setAsked(null);
    setProblem('');
    return wanted.current;
  }
  function ask(order: ErasureOrder, send: Desk['erase']): void {
    const mine = clear();
    setSending(true);
    send(order)
      .then(
        (begun) => {
          if (wanted.current === mine) setAsked({ order, begun });
          onChange();
        },
        // Whatever the form says by now: an order that was not taken is never silent.
        (error: unknown) => setProblem(problemOf(error)),
      )
      .finally(() => setSending(false));
  }
  function look(event: SubmitEvent): void {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement) || isSending) return;
    const form = new FormData(event.currentTarget);
    const order = { scope: targetIn(form), basis: textOf(form, 'basis'), reason: textOf(form, 'reason') };
    ask(order, desk.lookAtErasure);
  }

  return h('section', { class: 'section', 'aria-labelledby': 'erase-title' }, [
    h('h2', { id: 'erase-title' }, 'Erase content'),
    h(
      'p',
      { class: 'quiet' },
      'Prompts, answers and reasons go, with the keys that they are encrypted under. That there was a call, its hashes, who ruled and who erased it stay.',
    ),
    h('form', { class: 'card privacy-form', onSubmit: look, onInput: () => void clear() }, [
      h(ScopeFields, { decision, legend: 'What is to be erased', endsAtTime: true }),
      h('div', { class: 'scope-fields' }, [
        h('label', null, [
          'Ground',
          h(
            'select',
            { name: 'basis' },
            bases.map(([value, words]) => h('option', { key: value, value }, words)),
          ),
        ]),
        h('label', { class: 'privacy-reason' }, [
          ['Reason ', h('span', { class: 'quiet' }, 'required; sealed, and outlasts what is erased')],
          h('input', { name: 'reason', required: true, autocomplete: 'off' }),
        ]),
      ]),
      h('div', { class: 'actions' }, [
        h(
          'button',
          { type: 'submit', class: 'button button-main', disabled: isSending },
          'See what would go',
        ),
        h('span', { class: 'quiet' }, 'Nothing is erased by looking.'),
      ]),
      h('p', { class: 'problem', role: 'alert' }, problem),
      asked === null
        ? null
        : h(ErasureResult, {
            key: asked.begun.id,
            desk,
            begun: asked.begun,
            onEnded: onChange,
            next: ({ dryRun, erased, parts }) =>
              dryRun && erased > 0
                ? h('p', { class: 'actions' }, [
                    h(
                      'button',
                      {
                        type: 'button',
                        class: 'button button-main send-deny',
                        disabled: isSending,
                        onClick: () => ask(asked.order, desk.erase),
                      },
                      `Erase ${counted(parts, 'body', 'bodies')} for good`,
                    ),
                    h('span', { class: 'quiet' }, 'This cannot be undone.'),
                  ])
                : null,
          }),
    ]),
  ]);
}
