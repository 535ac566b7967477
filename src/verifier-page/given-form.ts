/** What the reader knows from elsewhere. Each field says what it adds to the verdict. */
import { type ComponentChild, h } from 'preact';
import { type Desk, type DeskState, problemOf } from './desk.ts';
import type { Given } from './given.ts';

interface Field {
  readonly name: keyof Given;
  readonly label: string;
  readonly adds: string;
  readonly kind: 'text' | 'area' | 'secret';
}

const fields: readonly Field[] = [
  {
    name: 'trustedKeys',
    label: 'Trusted verifier key',
    adds: 'Got another way than the ledger. Without it, the key is the ledger’s own word.',
    kind: 'area',
  },
  {
    name: 'checkpoint',
    label: 'Checkpoint you kept',
    adds: 'Makes the verdict ANCHORED: nobody rewrote or cut what came before it.',
    kind: 'area',
  },
  {
    name: 'highWater',
    label: 'High-water mark',
    adds: 'The line of the file high-water: shows what was cut from the end.',
    kind: 'text',
  },
  {
    name: 'kek',
    label: 'Key-encryption key',
    adds: 'Opens the bodies; after a change of keys give those of all epochs, one behind the other. Stays in this page’s memory and is gone when you close it.',
    kind: 'secret',
  },
];

export function GivenForm({
  desk,
  state,
}: {
  readonly desk: Desk;
  readonly state: DeskState;
}): ComponentChild {
  const { given, verifiedWith, ledger, proof, progress } = state;
  const count = fields.filter(({ name }) => given[name].trim() !== '').length;
  const isStale = verifiedWith !== given && (ledger.length > 0 || proof !== '') && progress === null;
  return h('details', { class: 'given', open: verifiedWith === null || isStale ? true : undefined }, [
    h('summary', null, [
      h('strong', null, 'What you know from elsewhere'),
      h(
        'span',
        { class: 'quiet' },
        count === 0 ? ' nothing yet; optional' : ` ${count} of ${fields.length} given`,
      ),
    ]),
    h(
      'div',
      { class: 'given-fields' },
      fields.map((field) => h(GivenField, { key: field.name, desk, field, text: given[field.name] })),
    ),
    isStale &&
      h(
        'button',
        { type: 'button', class: 'button button-main', onClick: () => void desk.verify() },
        verifiedWith === null ? 'Verify' : 'Verify again with these',
      ),
  ]);
}

interface GivenFieldProps {
  readonly desk: Desk;
  readonly field: Field;
  readonly text: string;
}

function GivenField({ desk, field, text }: GivenFieldProps): ComponentChild {
  const { name, label, adds, kind } = field;
  const problem = problemOf(name, text);
  return h('div', { class: 'given-field' }, [
    h('label', { for: name }, label),
    h(kind === 'area' ? 'textarea' : 'input', {
      id: name,
      class: 'mono',
      value: text,
      spellcheck: false,
      autocomplete: 'off',
      'aria-describedby': `${name}-about`,
      'aria-invalid': problem === '' ? undefined : 'true',
      ...(kind === 'area' ? { rows: 3 } : { type: kind === 'secret' ? 'password' : 'text' }),
      onInput: (event: Event) => {
        const input = event.currentTarget;
        if (input instanceof HTMLInputElement || input instanceof HTMLTextAreaElement)
          desk.give({
            [name]: name === 'highWater' && input.value !== '' ? `${input.value.trim()}\n` : input.value,
          });
      },
    }),
    h(
      'p',
      { id: `${name}-about`, class: problem === '' ? 'quiet' : 'problem' },
      problem === '' ? adds : problem,
    ),
  ]);
}
