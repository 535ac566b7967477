/** The terms of a search for decisions; on a narrow screen folded under what is searched for, so that results come first. */
import { type ComponentChild, h } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { outcomes, verdicts } from '../../ledger/verify/outcomes.ts';
import { searchAddress } from '../desk/place.ts';
import { outcomeWords } from '../drawn/outcome.ts';
import { Recorded } from '../drawn/recorded.ts';

const texts = [
  ['model', 'Model'],
  ['rule', 'Rule'],
  ['workload', 'Workload'],
  ['subject', 'Subject'],
  ['session', 'Session'],
  ['ruledBy', 'Ruled by'],
] as const;
const times = ['since', 'until'] as const;
/** As phone.css has it. */
const narrow = '(max-width: 760px)';

export function SearchForm({ query }: { readonly query: string }): ComponentChild {
  const [isOpen, setOpen] = useState(() => !matchMedia(narrow).matches);
  useEffect(() => {
    const media = matchMedia(narrow);
    const follow = (): void => setOpen(!media.matches);
    media.addEventListener('change', follow);
    return () => media.removeEventListener('change', follow);
  }, []);
  const told = [...new URLSearchParams(query)].map(([name, value]) => `${name} ${value}`).join(', ');
  return h(
    'details',
    {
      class: 'search-fold',
      open: isOpen,
      onToggle: ({ currentTarget }: Event) =>
        setOpen(currentTarget instanceof HTMLDetailsElement && currentTarget.open),
    },
    [
      h('summary', null, told === '' ? 'Search' : ['Search: ', h(Recorded, { text: told })]),
      h(Terms, { query }),
    ],
  );
}

function Terms({ query }: { readonly query: string }): ComponentChild {
  const terms = new URLSearchParams(query);
  const [since, until] = times.map((name) => (terms.get(name) ?? '').slice(0, 16));
  function submit(event: SubmitEvent): void {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const given: Record<string, string> = {};
    for (const [name, value] of new FormData(event.currentTarget)) {
      if (typeof value !== 'string' || value.trim() === '') continue;
      const isTime = times.some((time) => time === name);
      given[name] = isTime ? `${value.slice(0, 16)}:00Z` : value.trim();
    }
    location.hash = searchAddress(given);
  }
  return h('form', { class: 'search', role: 'search', 'aria-label': 'Decisions', onSubmit: submit }, [
    texts.map(([name, label]) =>
      h('label', { key: name }, [
        label,
        h('input', {
          name,
          defaultValue: terms.get(name) ?? '',
          spellcheck: false,
          autocomplete: 'off',
          maxLength: 256,
        }),
      ]),
    ),
    choice('verdict', 'Rules said', verdicts, terms.get('verdict') ?? '', (word) => word),
    choice('outcome', 'Outcome', ['open', ...outcomes], terms.get('outcome') ?? '', outcomeWords),
    h('label', null, [
      'From (UTC)',
      h('input', { type: 'datetime-local', name: 'since', defaultValue: since }),
    ]),
    h('label', null, [
      'Before (UTC)',
      h('input', { type: 'datetime-local', name: 'until', defaultValue: until }),
    ]),
    h('div', { class: 'search-send' }, [
      h('button', { type: 'submit', class: 'button button-main' }, 'Search'),
      query === '' ? null : h('a', { class: 'button button-quiet', href: '#/decisions' }, 'Clear'),
    ]),
  ]);
}

function choice(
  name: string,
  label: string,
  values: readonly string[],
  chosen: string,
  wordsOf: (value: string) => string,
): ComponentChild {
  return h('label', { key: name }, [
    label,
    h('select', { name }, [
      h('option', { value: '', selected: chosen === '' }, 'any'),
      values.map((value) => h('option', { key: value, value, selected: value === chosen }, wordsOf(value))),
    ]),
  ]);
}
