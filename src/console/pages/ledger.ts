/** The ledger: how long it is, what signs it, who outside remembers it, and the verification that this browser does. */

import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import { readEntry } from '../answers/decision-data.ts';
import { may } from '../answers/hold-data.ts';
import { listIn, shapeOf } from '../answers/shape.ts';
import type { Desk } from '../desk/desk.ts';
import { messageOf } from '../desk/desk-state.ts';
import { PageFrame, Problem, useFetched } from '../desk/fetched.ts';
import { useLeaving } from '../desk/leaving.ts';
import { entryAddress } from '../desk/place.ts';
import { Damage } from '../drawn/damage.ts';
import { Recorded } from '../drawn/recorded.ts';
import { counted, countText } from '../words/counts.ts';
import { laidOut } from '../words/json-tree.ts';
import { exactText } from '../words/time.ts';
import { Anchors, readAnchors } from './anchors.ts';
import { type CheckpointAnswer, readCheckpointAnswer } from './check.ts';
import { EntryProofs } from './entry-proofs.ts';
import { rememberedOf } from './remembered.ts';
import { type Step, verifyNow } from './verify-now.ts';

const entriesShown = 50;

export function LedgerPage(props: { readonly desk: Desk; readonly seq: number | null }): ComponentChild {
  const { desk, seq } = props;
  if (seq !== null) return h(EntryPage, { key: seq, desk, seq });
  return h(LedgerOverview, { desk });
}

function LedgerOverview({ desk }: { readonly desk: Desk }): ComponentChild {
  const fetched = useFetched(desk, '/api/v1/ledger/checkpoint', readCheckpointAnswer);
  const anchors = useFetched(desk, '/api/v1/ledger/anchors', readAnchors);
  const mayRead = may(desk.get().identity, 'read_ledger');
  const checkpoint = fetched.value;
  return h(
    PageFrame,
    {
      title: 'Ledger',
      label: 'ledger',
      lead: 'Everything sealed, in one tree that nobody can change unnoticed.',
    },
    [
      h(Problem, { of: fetched }),
      checkpoint === null
        ? null
        : h('div', { class: 'sections' }, [
            h(Size, { checkpoint }),
            h(VerifyPanel, { desk, mayRead, again: fetched.again }),
            h(Damage, {
              told: anchors.value?.unreadable ?? [],
              entries: anchors.value?.unreadableEntries ?? 0,
              missing: 'An anchor that is among them is not listed here.',
            }),
            h(Anchors, { anchors: anchors.value?.items ?? [], loaded: anchors.value !== null }),
            h(Problem, { of: anchors }),
            h(CheckpointNote, { checkpoint }),
            mayRead ? h(Latest, { desk, size: checkpoint.size }) : null,
          ]),
    ],
  );
}

function Size({ checkpoint }: { readonly checkpoint: CheckpointAnswer }): ComponentChild {
  const remembered = rememberedOf(localStorage, checkpoint.origin);
  return h('dl', { class: 'figures' }, [
    figure('entries', countText(checkpoint.size), 'all durable, all covered by the checkpoint'),
    remembered === null
      ? figure('verified here', 'never', 'this browser has not verified it yet')
      : figure('verified here', counted(remembered.size, 'entry', 'entries'), exactText(remembered.atMs)),
  ]);
}

function figure(name: string, value: string, note: string): ComponentChild {
  return h('div', { class: 'figure', key: name }, [
    h('dt', null, name),
    h('dd', { class: 'num' }, [h('strong', null, value), h('span', { class: 'quiet' }, note)]),
  ]);
}

interface VerifyPanelProps {
  readonly desk: Desk;
  readonly mayRead: boolean;
  readonly again: () => void;
}

function VerifyPanel({ desk, mayRead, again }: VerifyPanelProps): ComponentChild {
  const [key, setKey] = useState('');
  const [steps, setSteps] = useState<readonly Step[] | null>(null);
  const [doing, setDoing] = useState('');
  const [problem, setProblem] = useState('');
  const begin = useLeaving();
  function run(whole: boolean): void {
    setDoing('Verifying …');
    setProblem('');
    setSteps(null);
    const onProgress = (done: number, of: number): void =>
      setDoing(`${countText(done)} of ${counted(of, 'entry', 'entries')} hashed …`);
    const signal = begin();
    const door = {
      fetch: (path: string) => desk.fetch(path, signal),
      bytes: (path: string) => desk.bytes(path, signal),
      nowMs: desk.nowMs,
    };
    verifyNow(door, { key, whole, storage: localStorage, onProgress })
      .then(
        (found) => {
          setSteps(found);
          again();
        },
        (error: unknown) => setProblem(messageOf(error)),
      )
      .finally(() => setDoing(''));
  }
  const busy = doing !== '';
  return h('section', { class: 'section', 'aria-labelledby': 'verify-title' }, [
    h('h2', { id: 'verify-title' }, 'Verify now, in this browser'),
    h('div', { class: 'card' }, [
      h('label', { for: 'verifier-key' }, [
        'Verifier key ',
        h('span', { class: 'quiet' }, 'from elsewhere, if you have it; holdpoint keys show prints it'),
      ]),
      h('input', {
        id: 'verifier-key',
        class: 'mono',
        spellcheck: false,
        autocomplete: 'off',
        value: key,
        onInput: (event: Event) => {
          if (event.currentTarget instanceof HTMLInputElement) setKey(event.currentTarget.value);
        },
      }),
      h('div', { class: 'actions' }, [
        h(
          'button',
          { type: 'button', class: 'button button-main', disabled: busy, onClick: () => run(false) },
          'Verify now',
        ),
        mayRead
          ? h(
              'button',
              { type: 'button', class: 'button', disabled: busy, onClick: () => run(true) },
              'Hash every entry',
            )
          : null,
      ]),
      h('div', { role: 'status' }, [
        busy ? h('p', { class: 'quiet num' }, doing) : null,
        steps === null ? null : h(Steps, { steps }),
      ]),
      problem === '' ? null : h('p', { class: 'problem', role: 'alert' }, problem),
    ]),
  ]);
}

const stepMarks: Readonly<Record<Step['result'], readonly [string, string]>> = {
  holds: ['✓', 'holds'],
  fails: ['✗', 'fails'],
  skipped: ['–', 'not checked'],
};

function Steps({ steps }: { readonly steps: readonly Step[] }): ComponentChild {
  const failed = steps.some(({ result }) => result === 'fails');
  return h('div', { class: 'steps' }, [
    h(
      'p',
      { class: failed ? 'problem' : 'verdict-good' },
      failed ? 'Not intact.' : 'Intact, as far as this was checked.',
    ),
    h(
      'ul',
      null,
      steps.map(({ what, result, found }) =>
        h('li', { key: what, class: `step step-${result}` }, [
          h('span', { class: 'step-mark', 'aria-hidden': 'true' }, stepMarks[result][0]),
          h('span', null, [h('strong', null, `${what}: ${stepMarks[result][1]}. `), found]),
        ]),
      ),
    ),
  ]);
}

function CheckpointNote({ checkpoint }: { readonly checkpoint: CheckpointAnswer }): ComponentChild {
  return h('section', { class: 'section', 'aria-labelledby': 'note-title' }, [
    h('h2', { id: 'note-title' }, 'The signed checkpoint'),
    h(
      'p',
      { class: 'quiet' },
      'Keep a copy: whoever has it can tell later whether what it covers has changed.',
    ),
    h('pre', { class: 'raw card', tabIndex: 0, 'aria-label': 'The signed note' }, checkpoint.note),
    h('p', { class: 'quiet' }, ['Verifier key ', h('code', { class: 'breakable' }, checkpoint.key)]),
  ]);
}

function Latest(props: { readonly desk: Desk; readonly size: number }): ComponentChild {
  const [end, setEnd] = useState<number | null>(null);
  const last = Math.min(end ?? props.size, props.size);
  const from = Math.max(0, last - entriesShown);
  const path = `/api/v1/ledger/entries?from=${from}&limit=${Math.max(1, last - from)}`;
  const fetched = useFetched(props.desk, path, (value) =>
    listIn(shapeOf(value, 'entries'), 'items', readEntry),
  );
  return h('section', { class: 'section', 'aria-labelledby': 'entries-title' }, [
    h('h2', { id: 'entries-title' }, 'Entries'),
    h(Problem, { of: fetched }),
    h(
      'ol',
      { class: 'story' },
      (fetched.value ?? [])
        .toReversed()
        .map((entry) =>
          h('li', { key: entry.seq }, [
            h('span', { class: 'num quiet' }, exactText(entry.atMs)),
            h('strong', null, entry.type),
            h('a', { href: entryAddress(entry.seq), class: 'num' }, `entry ${entry.seq}`),
          ]),
        ),
    ),
    h('div', { class: 'actions' }, [
      from > 0
        ? h('button', { type: 'button', class: 'button', onClick: () => setEnd(from) }, 'Older')
        : null,
      last < props.size
        ? h(
            'button',
            { type: 'button', class: 'button', onClick: () => setEnd(last + entriesShown) },
            'Newer',
          )
        : null,
    ]),
  ]);
}

function EntryPage(props: { readonly desk: Desk; readonly seq: number }): ComponentChild {
  const { desk, seq } = props;
  const mayRead = may(desk.get().identity, 'read_ledger');
  const path = `/api/v1/ledger/entries?from=${seq}&limit=1`;
  const fetched = useFetched(desk, mayRead ? path : null, (value) =>
    listIn(shapeOf(value, 'entries'), 'items', readEntry),
  );
  const [entry] = fetched.value ?? [];
  return h(
    PageFrame,
    { title: `Entry ${seq}`, label: String(seq), lead: h('a', { href: '#/ledger' }, '‹ The ledger') },
    [
      h(Problem, { of: fetched }),
      mayRead
        ? null
        : h(
            'p',
            { class: 'note' },
            'Your role reads no single entries. A decision shows and proves its own.',
          ),
      fetched.value !== null && entry === undefined
        ? h('p', { class: 'quiet' }, 'There is no such entry yet.')
        : null,
      entry === undefined
        ? null
        : h('div', { class: 'sections' }, [
            h(
              'pre',
              { class: 'raw card', tabIndex: 0, 'aria-label': 'The sealed entry' },
              h(Recorded, { text: laidOut(JSON.stringify(entry.source)) }),
            ),
            h(EntryProofs, { desk, entries: [entry] }),
          ]),
    ],
  );
}
