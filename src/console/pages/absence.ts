/** Who is away and who rules in their stead: one begins and ends it here for oneself. */
import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import { type Delegation, readDelegations } from '../answers/absence-data.ts';
import { type Identity, may } from '../answers/hold-data.ts';
import type { Desk } from '../desk/desk.ts';
import { PageFrame, Problem, useFetched } from '../desk/fetched.ts';
import { RecordTable } from '../drawn/record-table.ts';
import { problemOf } from '../hold/ruling-panel.ts';
import { markedText } from '../words/text.ts';
import { exactText } from '../words/time.ts';

interface AbsenceProps {
  readonly desk: Desk;
  readonly identity: Identity;
}

export function AbsencePage({ desk, identity }: AbsenceProps): ComponentChild {
  const fetched = useFetched(desk, '/api/v1/delegations', readDelegations);
  const { value: all, again } = fetched;
  const mine = all?.find(({ from, inForce }) => inForce && from === identity.name);
  return h(
    PageFrame,
    {
      title: 'Absence',
      label: 'absence',
      lead: 'Whoever is away can let somebody rule in their stead, in their role. It is sealed.',
    },
    [
      h(Problem, { of: fetched }),
      all === null
        ? null
        : h('div', { class: 'sections' }, [
            mine === undefined && may(identity, 'rule')
              ? h(Begin, { key: 'begin', desk, onDone: again })
              : null,
            h(Delegations, { key: 'list', desk, identity, all, onDone: again }),
          ]),
    ],
  );
}

function Begin(props: { readonly desk: Desk; readonly onDone: () => void }): ComponentChild {
  const { desk, onDone } = props;
  const [problem, setProblem] = useState('');
  function submit(event: SubmitEvent): void {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const given = new FormData(event.currentTarget);
    const [to, until] = ['to', 'until'].map((name) => String(given.get(name) ?? '').trim());
    if (to === undefined || until === undefined) return;
    setProblem('');
    desk
      .beginAbsence(to, `${until.slice(0, 16)}:00Z`)
      .then(onDone, (error: unknown) => setProblem(problemOf(error)));
  }
  return h('section', { class: 'section', 'aria-labelledby': 'away-title' }, [
    h('h2', { id: 'away-title' }, 'While you are away'),
    h('form', { class: 'search', onSubmit: submit }, [
      h('label', null, [
        'Who rules in your stead',
        h('input', { name: 'to', required: true, maxLength: 64, spellcheck: false, autocomplete: 'off' }),
      ]),
      h('label', null, [
        'Until (UTC, within 90 days)',
        h('input', { type: 'datetime-local', name: 'until', required: true }),
      ]),
      h(
        'div',
        { class: 'search-send' },
        h('button', { type: 'submit', class: 'button button-main' }, 'Let them'),
      ),
    ]),
    h('p', { class: 'problem', role: 'alert' }, problem),
  ]);
}

interface DelegationsProps extends AbsenceProps {
  readonly all: readonly Delegation[];
  readonly onDone: () => void;
}

const heads = ['Away', 'Role', 'In their stead', 'Until', 'State'] as const;

function Delegations({ all, ...props }: DelegationsProps): ComponentChild {
  return h('section', { class: 'section', 'aria-labelledby': 'absences-title' }, [
    h('h2', { id: 'absences-title' }, 'Who rules in whose stead'),
    all.length === 0
      ? h('p', { class: 'quiet' }, 'Nobody stands in for anybody.')
      : h(
          RecordTable,
          { label: 'Who rules in whose stead', heads },
          all.toReversed().map((one) => h(Line, { key: one.seq, one, ...props })),
        ),
  ]);
}

function Line(props: Omit<DelegationsProps, 'all'> & { readonly one: Delegation }): ComponentChild {
  const { desk, identity, one, onDone } = props;
  const [problem, setProblem] = useState('');
  const { seq, from, role, to, untilMs, inForce } = one;
  const mayEnd = inForce && (from === identity.name || identity.role === 'admin');
  const end = (): void => {
    desk.endAbsence(seq).then(onDone, (error: unknown) => setProblem(problemOf(error)));
  };
  return h('tr', null, [
    h('td', null, markedText(from)),
    h('td', null, role),
    h('td', null, markedText(to)),
    h('td', { class: 'num' }, exactText(untilMs)),
    h('td', null, [
      inForce ? 'in force ' : h('span', { class: 'quiet' }, 'over'),
      mayEnd
        ? h('button', { type: 'button', class: 'button', onClick: end }, [
            'End',
            h('span', { class: 'sr-only' }, ` that ${to} rules in the stead of ${from}`),
          ])
        : null,
      problem === '' ? null : h('span', { class: 'problem', role: 'alert' }, ` ${problem}`),
    ]),
  ]);
}
