/** What nobody erases until somebody says so: the legal holds that stand, to place one and to lift one. */
import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import { type LegalHold, readLegalHolds } from '../answers/erasure-data.ts';
import type { Desk } from '../desk/desk.ts';
import { Problem, useFetched } from '../desk/fetched.ts';
import { entryAddress } from '../desk/place.ts';
import { RecordTable } from '../drawn/record-table.ts';
import { Recorded } from '../drawn/recorded.ts';
import { scopeText } from '../words/erasure.ts';
import { ReasonForm } from './reason-form.ts';
import { ScopeFields, targetIn, textOf } from './scope-fields.ts';

interface LegalHoldsProps {
  readonly desk: Desk;
  /** Whether whoever looks may place and lift them. */
  readonly erases: boolean;
  /** The id of the decision that a new one begins with; '' for none. */
  readonly decision: string;
}

const heads = ['On', 'Placed by', 'Reason', 'Sealed'] as const;

export function LegalHolds({ desk, erases, decision }: LegalHoldsProps): ComponentChild {
  const fetched = useFetched(desk, '/api/v1/legal-holds', readLegalHolds);
  const { value: all, again } = fetched;
  return h('section', { class: 'section', 'aria-labelledby': 'legal-holds-title' }, [
    h('h2', { id: 'legal-holds-title' }, 'Legal holds'),
    h('p', { class: 'quiet' }, 'What one is on is not erased, neither on request nor by age.'),
    h(Problem, { of: fetched }),
    all === null
      ? null
      : all.length === 0
        ? h('p', null, 'None stands.')
        : h(
            RecordTable,
            { label: 'Legal holds', heads: erases ? [...heads, 'Lift'] : heads },
            all.map((hold) => h(Line, { key: hold.id, desk, erases, hold, onDone: again })),
          ),
    // Begun anew once one is placed.
    erases ? h(Place, { key: `place ${all?.length ?? 0}`, desk, decision, onDone: again }) : null,
  ]);
}

interface LineProps extends Omit<LegalHoldsProps, 'decision'> {
  readonly hold: LegalHold;
  readonly onDone: () => void;
}

function Line({ desk, erases, hold, onDone }: LineProps): ComponentChild {
  const { id, seq, by, reason, scope } = hold;
  const [isOpen, setOpen] = useState(false);
  const lift = (form: FormData): Promise<void> => desk.liftLegalHold(id, textOf(form, 'reason'));
  return h('tr', null, [
    h('td', { class: 'breakable' }, h(Recorded, { text: scopeText(scope) })),
    h('td', { class: 'person' }, h(Recorded, { text: by })),
    h(
      'td',
      null,
      reason === null ? h('span', { class: 'quiet' }, 'not shown') : h(Recorded, { text: reason }),
    ),
    h('td', { class: 'num' }, h('a', { href: entryAddress(seq) }, `entry ${seq}`)),
    !erases
      ? null
      : h(
          'td',
          null,
          isOpen
            ? h(ReasonForm, { class: 'lift-form', send: 'Lift it', sending: lift, onDone })
            : h('button', { type: 'button', class: 'button', onClick: () => setOpen(true) }, [
                'Lift …',
                h('span', { class: 'sr-only' }, ` the legal hold of entry ${seq}`),
              ]),
        ),
  ]);
}

function Place(props: Omit<LegalHoldsProps, 'erases'> & { readonly onDone: () => void }): ComponentChild {
  const { desk, decision, onDone } = props;
  const [isOpen, setOpen] = useState(false);
  if (!isOpen)
    return h(
      'p',
      { class: 'actions' },
      h('button', { type: 'button', class: 'button', onClick: () => setOpen(true) }, 'Place one …'),
    );
  const place = (form: FormData): Promise<void> =>
    desk.placeLegalHold(targetIn(form), textOf(form, 'reason'));
  return h(
    ReasonForm,
    { class: 'card privacy-form', send: 'Place the legal hold', sending: place, onDone },
    h(ScopeFields, { decision, legend: 'What the legal hold is on', endsAtTime: false }),
  );
}
