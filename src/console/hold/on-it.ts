/** Who takes care of a hold: to take it, to hand it over, to give it back. It binds nobody. */
import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import { type HoldSummary, type Identity, may } from '../answers/hold-data.ts';
import type { Desk } from '../desk/desk.ts';
import { problemOf } from './ruling-panel.ts';

interface OnItProps {
  readonly desk: Desk;
  readonly summary: HoldSummary;
  readonly identity: Identity;
}

export function OnIt({ desk, summary, identity }: OnItProps): ComponentChild {
  const [problem, setProblem] = useState('');
  const [isHandingOver, setHandingOver] = useState(false);
  const { assignee, id } = summary;
  if (summary.state !== 'pending') return null;
  const assign = (to: string): void => {
    setProblem('');
    desk.assign(id, to).then(
      () => setHandingOver(false),
      (error: unknown) => setProblem(problemOf(error)),
    );
  };
  const isMine = assignee === identity.name;
  const mayMove = isMine || identity.role === 'admin';
  const button = (words: string, onClick: () => void, key = ''): ComponentChild =>
    h('button', { key: words, type: 'button', class: 'button', 'data-key': key, onClick }, [
      words,
      key === '' ? null : h('kbd', { 'aria-hidden': 'true' }, key),
    ]);
  return h('div', { class: 'on-it' }, [
    h('p', { role: 'status' }, [
      assignee === ''
        ? h('span', { class: 'quiet' }, 'Nobody is on it.')
        : [h('strong', null, isMine ? 'You are' : `${assignee} is`), ' on it.'],
    ]),
    !may(identity, 'read_content')
      ? h('span', { class: 'quiet' }, `The role ${identity.role} takes no holds.`)
      : [
          isMine
            ? null
            : button(assignee === '' ? 'I am on it ' : 'Take it over ', () => assign(identity.name), 'i'),
          mayMove ? button('Hand over …', () => setHandingOver(!isHandingOver)) : null,
          mayMove && assignee !== '' ? button('Give back', () => assign('')) : null,
        ],
    isHandingOver ? h(HandOver, { assign, close: () => setHandingOver(false) }) : null,
    problem === '' ? null : h('p', { class: 'problem', role: 'alert' }, problem),
  ]);
}

function HandOver(props: {
  readonly assign: (to: string) => void;
  readonly close: () => void;
}): ComponentChild {
  const { assign, close } = props;
  const [to, setTo] = useState('');
  return h(
    'form',
    {
      class: 'hand-over',
      onKeyDown: (event: KeyboardEvent) => {
        if (event.key !== 'Escape') return;
        // Leaves the field and not the hold.
        event.preventDefault();
        close();
        document.querySelector<HTMLElement>('#hold-title')?.focus();
      },
      onSubmit: (event: Event) => {
        event.preventDefault();
        if (to.trim() !== '') assign(to.trim());
      },
    },
    [
      h('label', { for: 'hand-over' }, 'To whom, by the name of their token'),
      h('input', {
        id: 'hand-over',
        ref: (element: HTMLInputElement | null) => {
          if (element !== null && to === '') element.focus();
        },
        autocomplete: 'off',
        spellcheck: false,
        value: to,
        onInput: (event: Event) => {
          if (event.currentTarget instanceof HTMLInputElement) setTo(event.currentTarget.value);
        },
      }),
      h('button', { type: 'submit', class: 'button' }, 'Hand over'),
    ],
  );
}
