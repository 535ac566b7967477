/** What an erasure or a legal hold is to be on: a person, one decision, or a class of calls. */
import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import type { ErasureTarget } from '../desk/desk-privacy.ts';

const kinds = [
  ['subject', 'A person'],
  ['decision', 'One decision'],
  ['class', 'A class of calls'],
] as const;
type Kind = (typeof kinds)[number][0];

const classFields = [
  ['workload', 'Workload'],
  ['model', 'Model'],
  ['operation', 'Operation'],
  ['provider', 'Provider'],
] as const;
const nameCharactersMax = 256;

interface ScopeFieldsProps {
  /** The id of the decision that the fields begin with; '' for none. */
  readonly decision: string;
  /** What is asked, for whoever does not see the form. */
  readonly legend: string;
  /** Whether a class may end at a time. */
  readonly endsAtTime: boolean;
}

export function ScopeFields({ decision, legend, endsAtTime }: ScopeFieldsProps): ComponentChild {
  const [kind, setKind] = useState<Kind>(decision === '' ? 'subject' : 'decision');
  return [
    h('fieldset', { class: 'scope-kinds' }, [
      h('legend', { class: 'sr-only' }, legend),
      kinds.map(([name, words]) =>
        h('label', { key: name }, [
          h('input', {
            type: 'radio',
            name: 'kind',
            value: name,
            checked: kind === name,
            onChange: () => setKind(name),
          }),
          h('span', null, words),
        ]),
      ),
    ]),
    h('div', { key: kind, class: 'scope-fields' }, fieldsOf(kind, decision, endsAtTime)),
  ];
}

function fieldsOf(kind: Kind, decision: string, endsAtTime: boolean): ComponentChild {
  if (kind === 'subject')
    return field('subject', 'Their name, as workloads send it in holdpoint-subject', '', true);
  if (kind === 'decision') return field('decision', 'The decision’s id', decision, true);
  return [
    classFields.map(([name, label]) => field(name, label, '', false)),
    endsAtTime
      ? h('label', { key: 'before' }, [
          'Only before (UTC)',
          h('input', { type: 'datetime-local', name: 'before' }),
        ])
      : null,
  ];
}

function field(name: string, label: string, begun: string, required: boolean): ComponentChild {
  return h('label', { key: name }, [
    label,
    h('input', {
      name,
      required,
      defaultValue: begun,
      maxLength: nameCharactersMax,
      spellcheck: false,
      autocomplete: 'off',
    }),
  ]);
}

/** What the fields of a form say. A class that names nothing is the sidecar's to refuse. */
export function targetIn(form: FormData): ErasureTarget {
  const kind = textOf(form, 'kind');
  if (kind === 'subject') return { subject: textOf(form, 'subject') };
  if (kind === 'decision') return { decision: textOf(form, 'decision') };
  const given = classFields.map(([name]) => [name, textOf(form, name)] as const);
  const match = Object.fromEntries(given.filter(([, value]) => value !== ''));
  const before = textOf(form, 'before');
  return before === '' ? { match } : { match, before: `${before.slice(0, 16)}:00Z` };
}

/** Without the spaces around it; '' where it is not there. */
export function textOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value.trim() : '';
}
