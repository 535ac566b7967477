/** A release by one person alone on its hold's page: what somebody else found, or the form to say so. */
import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import { type Identity, may } from '../answers/hold-data.ts';
import type { HoldDetail, Ruling } from '../answers/hold-detail.ts';
import type { Desk } from '../desk/desk.ts';
import { sendsByKeys } from '../drawn/reason.ts';
import { isTooLong, TooLong } from '../drawn/too-long.ts';
import { problemOf } from './ruling-panel.ts';
import { Said } from './talk.ts';
import { GivenReason } from './who-rules.ts';

interface ReviewProps {
  readonly desk: Desk;
  readonly detail: HoldDetail;
  readonly identity: Identity;
}

const verdicts = [
  ['justified', 'It was right to release it alone'],
  ['unjustified', 'It should have waited'],
] as const;

export function Review({ desk, detail, identity }: ReviewProps): ComponentChild {
  const broken = detail.rulings.find(({ breakGlass }) => breakGlass);
  if (broken === undefined) return null;
  const { review, summary } = detail;
  return h('section', { class: 'review', 'aria-labelledby': 'review-title' }, [
    h('h2', { id: 'review-title' }, 'Review of the broken glass'),
    review !== null
      ? h('div', { class: 'card' }, [
          h('p', null, ['Found ', h('strong', null, review.verdict), '.']),
          h('ol', { class: 'comments' }, h(Said, { comment: review })),
        ])
      : h(Open, { desk, id: summary.id, why: whyNot(broken.by, summary.requester, identity), broken }),
  ]);
}

function whyNot(by: string, requester: string, identity: Identity): string {
  const { name, role } = identity;
  if (!may(identity, 'read_content')) return `The role ${role} reviews nothing.`;
  if (name === by) return 'You broke the glass; somebody else reviews it.';
  return name === requester ? 'You asked for it; somebody else reviews it.' : '';
}

function Open(props: {
  readonly desk: Desk;
  readonly id: string;
  readonly why: string;
  readonly broken: Ruling;
}): ComponentChild {
  const { desk, id, why, broken } = props;
  const [verdict, setVerdict] = useState('');
  const [text, setText] = useState('');
  const [problem, setProblem] = useState('');
  if (why !== '') return h('p', { class: 'quiet' }, `It waits for a finding. ${why}`);
  function submit(event: Event): void {
    event.preventDefault();
    if (verdict === '' || text.trim() === '') {
      setProblem(verdict === '' ? 'Choose one of the two.' : 'Say what you found.');
      return;
    }
    if (isTooLong(text)) {
      setProblem('Shorten it.');
      return;
    }
    setProblem('');
    desk.review(id, { verdict, text }).catch((error: unknown) => setProblem(problemOf(error)));
  }
  return h('form', { class: 'card review-form', onSubmit: submit, onKeyDown: sendsByKeys(submit) }, [
    h('p', null, [
      h('strong', null, broken.by),
      ' released it alone. It waits for the finding of somebody else, which is final.',
    ]),
    h(GivenReason, { ruling: broken }),
    h('fieldset', { class: 'review-verdicts' }, [
      h('legend', { class: 'sr-only' }, 'Finding'),
      verdicts.map(([name, words]) =>
        h('label', { key: name }, [
          h('input', {
            type: 'radio',
            name: 'finding',
            checked: verdict === name,
            onChange: () => setVerdict(name),
          }),
          h('span', null, `${words} (${name})`),
        ]),
      ),
    ]),
    h('label', { for: 'finding' }, ['What you found ', h('span', { class: 'quiet' }, 'required; sealed')]),
    h('div', { class: 'reason-row' }, [
      h('textarea', {
        id: 'finding',
        rows: 2,
        value: text,
        'aria-invalid': isTooLong(text) ? 'true' : 'false',
        'aria-describedby': 'finding-excess',
        onInput: (event: Event) => {
          if (event.currentTarget instanceof HTMLTextAreaElement) setText(event.currentTarget.value);
        },
      }),
      h('button', { type: 'submit', class: 'button button-main' }, 'Seal the finding'),
    ]),
    h(TooLong, { id: 'finding-excess', text }),
    h('p', { class: 'problem', role: 'alert' }, problem),
  ]);
}
