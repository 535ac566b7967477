/**
 * A draft of the policy, tried on what is recorded: written here, begun from the one in force, replayed by the sidecar
 * page by page. Nothing is held and nothing changes; that content was read is sealed with the reason.
 */
import { type ComponentChild, h } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { addPages, type BacktestPage } from '../answers/backtest-data.ts';
import { may } from '../answers/hold-data.ts';
import { readSource, readVersions } from '../answers/policy-data.ts';
import type { Desk } from '../desk/desk.ts';
import { Problem, useFetched } from '../desk/fetched.ts';
import { DifferenceView } from '../drawn/difference-view.ts';
import { problemOf } from '../hold/ruling-panel.ts';
import { counted, countText } from '../words/counts.ts';
import { differenceOf } from '../words/difference.ts';
import { BacktestView } from './backtest-view.ts';

/** The most that one answer replays. */
const pageDecisionsMax = 500;
/** How far back a replay can be asked to go, in decisions. */
const depths = [500, 5_000, 50_000] as const;

interface Replay {
  readonly sum: BacktestPage | null;
  readonly isRunning: boolean;
  readonly problem: string;
}

/** The draft, for those who may replay one; what it begins from is read when it opens. */
export function DraftSection(props: { readonly desk: Desk; readonly digest: string }): ComponentChild {
  const { desk, digest } = props;
  const [isOpen, setOpen] = useState(false);
  const versions = useFetched(desk, isOpen ? '/api/v1/policy/versions?limit=100' : null, readVersions);
  const seq = versions.value?.items.find((version) => version.digest === digest)?.seq;
  const source = useFetched(desk, seq === undefined ? null : `/api/v1/policy/versions/${seq}`, readSource);
  if (!may(desk.get().identity, 'backtest')) return null;
  return h('section', { class: 'section', 'aria-labelledby': 'draft-title' }, [
    h('h2', { id: 'draft-title' }, 'Try a draft'),
    h(
      'p',
      { class: 'quiet' },
      'What would other rules have said of the calls that are recorded? Nothing is held and nothing changes.',
    ),
    isOpen
      ? null
      : h(
          'button',
          { type: 'button', class: 'button', onClick: () => setOpen(true) },
          'Begin with the rules in force',
        ),
    h(Problem, { of: versions }),
    h(Problem, { of: source }),
    versions.value !== null && seq === undefined
      ? [
          h(
            'p',
            { class: 'note' },
            'The rules in force are not among the sealed versions that can be read: begin with the policy file itself.',
          ),
          h(Draft, { key: digest, desk, inForce: '' }),
        ]
      : null,
    source.value === null ? null : h(Draft, { key: digest, desk, inForce: source.value }),
  ]);
}

function Draft({ desk, inForce }: { readonly desk: Desk; readonly inForce: string }): ComponentChild {
  const [text, setText] = useState(inForce);
  const [reason, setReason] = useState('');
  const [depth, setDepth] = useState<number>(depths[0]);
  const { replay, start, stop } = useReplay(desk);
  const submit = (event: Event): void => {
    event.preventDefault();
    start(text, reason.trim(), depth);
  };
  return h('div', null, [
    h('form', { class: 'card draft', onSubmit: submit }, [
      h('label', { for: 'draft' }, 'The draft, as a policy file has it'),
      h('textarea', {
        id: 'draft',
        class: 'mono',
        rows: 16,
        spellcheck: false,
        autocomplete: 'off',
        value: text,
        onInput: (event: Event) => {
          if (event.currentTarget instanceof HTMLTextAreaElement) setText(event.currentTarget.value);
        },
      }),
      text === inForce
        ? null
        : h('details', { class: 'fold' }, [
            h('summary', null, 'What you changed'),
            h(DifferenceView, { short: true, lines: differenceOf(inForce, text) }),
          ]),
      h('div', { class: 'draft-order' }, [
        h('label', { class: 'draft-reason' }, [
          ['Reason ', h('span', { class: 'quiet' }, 'required; sealed with the read')],
          h('input', {
            id: 'draft-reason',
            required: true,
            autocomplete: 'off',
            value: reason,
            onInput: (event: Event) => {
              if (event.currentTarget instanceof HTMLInputElement) setReason(event.currentTarget.value);
            },
          }),
        ]),
        h('label', null, [
          'How far back',
          h(
            'select',
            {
              onChange: (event: Event) => {
                if (event.currentTarget instanceof HTMLSelectElement)
                  setDepth(Number(event.currentTarget.value));
              },
            },
            depths.map((count) =>
              h(
                'option',
                { key: count, value: count, selected: count === depth },
                `newest ${countText(count)}`,
              ),
            ),
          ),
        ]),
        replay.isRunning
          ? h('button', { type: 'button', class: 'button', onClick: stop }, 'Stop')
          : h(
              'button',
              { type: 'submit', class: 'button button-main', disabled: reason.trim() === '' },
              'Replay',
            ),
      ]),
      h('p', { class: 'problem', role: 'alert' }, replay.problem),
      h('p', { class: 'quiet', role: 'status' }, progressOf(replay)),
    ]),
    replay.sum === null ? null : h(BacktestView, { sum: replay.sum }),
  ]);
}

/** Replays page after page until all were, somebody stops it, or the page is left. */
function useReplay(desk: Desk) {
  const [replay, setReplay] = useState<Replay>({ sum: null, isRunning: false, problem: '' });
  /** The replay whose answers are still wanted. */
  const wanted = useRef(0);
  useEffect(
    () => () => {
      wanted.current += 1;
    },
    [],
  );
  async function run(mine: number, policy: string, reason: string, depth: number): Promise<void> {
    let sum: BacktestPage | null = null;
    while (wanted.current === mine) {
      const left: number = depth - (sum?.decisions ?? 0);
      const limit = Math.min(pageDecisionsMax, left);
      const page: BacktestPage = await desk.backtest({ policy, reason, limit, before: sum?.next ?? null });
      if (wanted.current !== mine) return;
      sum = sum === null ? page : addPages(sum, page);
      const isRunning = sum.next !== null && sum.decisions < depth;
      setReplay({ sum, isRunning, problem: '' });
      if (!isRunning) return;
    }
  }
  return {
    replay,
    start: (policy: string, reason: string, depth: number): void => {
      wanted.current += 1;
      const mine = wanted.current;
      setReplay({ sum: null, isRunning: true, problem: '' });
      run(mine, policy, reason, depth).catch((error: unknown) => {
        if (wanted.current !== mine) return;
        setReplay(({ sum }) => ({ sum, isRunning: false, problem: problemOf(error) }));
      });
    },
    stop: (): void => {
      wanted.current += 1;
      setReplay((before) => ({ ...before, isRunning: false }));
    },
  };
}

function progressOf({ sum, isRunning }: Replay): string {
  const count = sum?.decisions ?? 0;
  if (isRunning) return `${counted(count, 'decision', 'decisions')} replayed …`;
  if (sum === null) return '';
  return `${counted(count, 'decision', 'decisions')} replayed. ${sum.next === null ? 'There are no older ones.' : 'There are older ones.'}`;
}
