/** The panel of one verdict: what it does, what is amended or withheld, the reason, and the button that sends it. */
import { type ComponentChild, h } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Identity, Verdict } from '../answers/hold-data.ts';
import type { HoldDetail } from '../answers/hold-detail.ts';
import { ApiError } from '../desk/api.ts';
import type { Desk } from '../desk/desk.ts';
import { focusHold } from '../desk/focus.ts';
import type { Holds } from '../desk/queue.ts';
import { effectOf } from '../desk/ruling-words.ts';
import { ReasonRow, sendsByKeys } from '../drawn/reason.ts';
import { isTooLong } from '../drawn/too-long.ts';
import { AmendEditor } from './amend-editor.ts';
import { amendmentOf, type Drafts, editablesOf, editedOf } from './amendment.ts';
import { CallChoice } from './call-choice.ts';
import { Identical, identicalTo, noIdentical } from './identical.ts';

interface RulingPanelProps {
  readonly desk: Desk;
  readonly detail: HoldDetail;
  readonly identity: Identity;
  readonly verdict: Verdict;
  readonly withheld: ReadonlySet<number>;
  /** Who lent the role that one rules in; '' for one's own word. */
  readonly inStead: string;
  /** The queue: the same bytes may be held elsewhere. */
  readonly holds: Holds;
  readonly reason: string;
  readonly setReason: (reason: string) => void;
  readonly drafts: Drafts;
  readonly setDrafts: (drafts: Drafts) => void;
}

const sendWords: Readonly<Record<Verdict, string>> = {
  release: 'Release now',
  amend: 'Send amended',
  deny: 'Deny now',
};

export function RulingPanel(props: RulingPanelProps): ComponentChild {
  const { desk, detail, identity, verdict, reason, setReason, drafts, setDrafts, inStead } = props;
  const { summary, exchange, actions } = detail;
  const [sending, setSending] = useState(false);
  const [problem, setProblem] = useState('');
  const field = useRef<HTMLTextAreaElement>(null);
  // Before the next key is heard: it belongs to the reason.
  useLayoutEffect(() => {
    setProblem('');
    field.current?.focus();
  }, [verdict]);
  const edits = useMemo(
    () =>
      verdict !== 'amend' || exchange === null
        ? []
        : editablesOf(summary, exchange)
            .filter(({ target }) => target !== 'text' || actions.amendText === '')
            .map((editable) => editedOf(editable, drafts[editable.key] ?? editable.source)),
    [verdict, summary.digest, exchange, drafts, actions.amendText],
  );
  const calls = verdict === 'release' ? (exchange?.response?.toolCalls ?? []) : [];
  const withheld = calls.length > 1 && actions.releaseCalls === '' ? props.withheld : none;
  const identical = useMemo(
    () => (inStead === '' ? identicalTo(summary, props.holds) : noIdentical),
    [summary, props.holds, inStead],
  );
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const others =
    verdict === 'amend' || withheld.size > 0 ? [] : identical.others.filter(({ id }) => chosen.has(id));
  const isReasonFree = verdict === 'release' && withheld.size === 0;
  const what = verdict === 'release' ? 'withhold a call' : verdict;

  function obstacle(): string {
    if (verdict === 'amend') {
      const amendment = amendmentOf(edits);
      if (typeof amendment === 'string') return amendment;
    }
    if (withheld.size > 0 && withheld.size === calls.length)
      return 'A release of no call is a denial: deny it.';
    if (isTooLong(reason)) return 'Shorten the reason.';
    return isReasonFree || reason.trim() !== '' ? '' : `A reason is required to ${what}.`;
  }

  function submit(event: Event): void {
    event.preventDefault();
    if (sending) return;
    const found = obstacle();
    setProblem(found);
    if (found !== '') {
      if (isTooLong(reason) || (reason.trim() === '' && !isReasonFree)) field.current?.focus();
      return;
    }
    setSending(true);
    const amendment = verdict === 'amend' ? amendmentOf(edits) : '';
    const ruling = {
      verdict,
      reason,
      ...(typeof amendment === 'string' ? {} : { amendment }),
      ...(inStead === '' ? {} : { inStead }),
      ...(withheld.size === 0
        ? {}
        : { calls: calls.flatMap(({ id }, place) => (withheld.has(place) ? [] : [id])) }),
    };
    const ruled =
      others.length === 0 ? desk.rule(ruling) : desk.ruleOnMany([summary, ...others], { verdict, reason });
    ruled
      .then(() => focusHold(desk, summary.id))
      .catch((error: unknown) => setProblem(problemOf(error)))
      .finally(() => setSending(false));
  }

  const send =
    withheld.size === 0
      ? `${sendWords[verdict]}${others.length === 0 ? '' : `, all ${others.length + 1}`}`
      : `Release ${calls.length - withheld.size} of ${calls.length} calls`;
  return h(
    'form',
    {
      class: `panel panel-${verdict}`,
      onSubmit: submit,
      'aria-label': send,
      onKeyDown: sendsByKeys(submit),
    },
    [
      h('p', { key: 'effect', class: 'effect' }, effectOf(verdict, detail, identity.role, withheld)),
      calls.length > 1
        ? h(CallChoice, { key: 'calls', calls, withheld, why: actions.releaseCalls, onChange: desk.withhold })
        : null,
      verdict === 'amend' && actions.amendText !== '' && exchange?.response?.text !== ''
        ? h('p', { key: 'fixed', class: 'quiet' }, actions.amendText)
        : null,
      identical.total > 0 && verdict !== 'amend' && withheld.size === 0
        ? h(Identical, { key: 'identical', identical, chosen, onChange: setChosen })
        : null,
      edits.length > 0
        ? h(AmendEditor, {
            key: 'editor',
            edits,
            drafts,
            onEdit: (name: string, text: string) => setDrafts({ ...drafts, [name]: text }),
          })
        : null,
      h(ReasonRow, {
        key: 'reason',
        field,
        reason,
        setReason,
        isFree: isReasonFree,
        send,
        sending,
        problem,
        kind: verdict,
      }),
    ],
  );
}

const none: ReadonlySet<number> = new Set();

/** What stood against it, and what to do about that. */
export function problemOf(error: unknown): string {
  if (error instanceof ApiError)
    return `${error.message}${error.status === 0 ? '' : ` ${error.next}`}`.trim();
  return error instanceof Error ? error.message : String(error);
}
