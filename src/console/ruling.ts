/**
 * The ruling: always in sight, closed until asked for. What is sent is bound to the digest this page shows; once the hold
 * is over or has changed, every button is dead and the page says why.
 */
import { type ComponentChild, h } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { AmendEditor } from './amend-editor.ts';
import { amendmentOf, type Drafts, editablesOf, editedOf, whyNotAmendable } from './amendment.ts';
import { ApiError } from './api.ts';
import { TimeLeft, useIsPast } from './clock.ts';
import type { Desk, OpenHold } from './desk.ts';
import type { HoldDetail, HoldSummary, Identity, Verdict } from './hold-data.ts';
import { SigningKey } from './signing-key.ts';

interface RulingBarProps {
  readonly desk: Desk;
  readonly open: OpenHold;
  readonly detail: HoldDetail;
  readonly identity: Identity;
}

export function RulingBar(props: RulingBarProps): ComponentChild {
  const { desk, open, detail, identity } = props;
  const { summary } = detail;
  const [reason, setReason] = useState('');
  const [drafts, setDrafts] = useState<Drafts>({});
  const expired = useIsPast(summary.expiresAtMs);
  const over = open.over || (expired ? 'Its time is over.' : '');
  const mayNot = whyMayNotRule(summary, identity);
  const panel = over === '' && mayNot === '' ? open.panel : null;
  return h('section', { class: 'ruling', 'aria-label': 'Ruling' }, [
    over === '' ? null : h(Over, { key: 'over', desk, open, over, summary }),
    panel === null
      ? null
      : h(Panel, { key: 'panel', desk, detail, verdict: panel, reason, setReason, drafts, setDrafts }),
    h('div', { key: 'bar', class: 'ruling-bar' }, [
      mayNot === ''
        ? h(Buttons, { desk, panel, dead: over !== '', detail })
        : h('p', { class: 'quiet may-not' }, mayNot),
      h('div', { class: 'ruling-facts' }, [
        over === '' ? h(TimeLeft, { fromMs: summary.openedAtMs, untilMs: summary.expiresAtMs }) : null,
        h(Caller, { summary }),
        summary.approvals.needed > 1 ? h(Approvals, { summary }) : null,
      ]),
    ]),
    h(Signed, { key: 'signed', detail }),
    mayNot === '' ? h(SigningKey, { key: 'signing', desk }) : null,
  ]);
}

/** Why this person cannot rule on this hold; the sidecar decides, this saves a refusal. */
export function whyMayNotRule(hold: HoldSummary, identity: Identity): string {
  if (!hold.roles.includes(identity.role)) {
    return `A ruling needs the role ${hold.roles.join(' or ')}; you are signed in as ${identity.role}.`;
  }
  if (hold.state === 'pending' && hold.approvals.given.includes(identity.name))
    return 'You have approved; another person must too.';
  return '';
}

const verdicts: readonly { verdict: Verdict; word: string; key: string }[] = [
  { verdict: 'release', word: 'Release', key: 'r' },
  { verdict: 'amend', word: 'Amend', key: 'e' },
  { verdict: 'deny', word: 'Deny', key: 'd' },
];

interface ButtonsProps {
  readonly desk: Desk;
  readonly panel: Verdict | null;
  readonly dead: boolean;
  readonly detail: HoldDetail;
}

function Buttons({ desk, panel, dead, detail }: ButtonsProps): ComponentChild {
  const notAmendable = whyNotAmendable(detail.summary, detail.exchange);
  return h(
    'div',
    { class: 'verdicts', role: 'group', 'aria-label': 'Choose a ruling' },
    verdicts.map(({ verdict, word, key }) => {
      const why = verdict === 'amend' ? notAmendable : '';
      return h(
        'button',
        {
          key: verdict,
          type: 'button',
          class: `button verdict-${verdict}${panel === null && verdict === 'release' ? ' button-main' : ''}`,
          disabled: dead || why !== '',
          title: why,
          'aria-pressed': panel === verdict ? 'true' : 'false',
          onClick: () => desk.setPanel(panel === verdict ? null : verdict),
        },
        [word, ' ', h('kbd', { 'aria-hidden': 'true' }, key)],
      );
    }),
  );
}

interface PanelProps {
  readonly desk: Desk;
  readonly detail: HoldDetail;
  readonly verdict: Verdict;
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
const reasonCharactersMax = 4000;

function Panel(props: PanelProps): ComponentChild {
  const { desk, detail, verdict, reason, setReason, drafts, setDrafts } = props;
  const [sending, setSending] = useState(false);
  const [problem, setProblem] = useState('');
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    setProblem('');
    field.current?.focus();
  }, [verdict]);
  const { summary, exchange } = detail;
  const notAmendable = verdict === 'amend' ? whyNotAmendable(summary, exchange) : '';
  const edits = useMemo(
    () =>
      verdict !== 'amend' || exchange === null || notAmendable !== ''
        ? []
        : editablesOf(summary, exchange).map((editable) =>
            editedOf(editable, drafts[editable.key] ?? editable.source),
          ),
    [verdict, notAmendable, summary.digest, exchange, drafts],
  );
  const amendment = verdict === 'amend' ? notAmendable || amendmentOf(edits) : {};
  const missing = verdict !== 'release' && reason.trim() === '' ? `A reason is required to ${verdict}.` : '';

  function submit(event: Event): void {
    event.preventDefault();
    if (sending) return;
    const obstacle = typeof amendment === 'string' ? amendment : missing;
    setProblem(obstacle);
    if (obstacle !== '') {
      if (missing !== '') field.current?.focus();
      return;
    }
    setSending(true);
    desk
      .rule({
        verdict,
        reason,
        ...(verdict === 'amend' && typeof amendment !== 'string' ? { amendment } : {}),
      })
      .then(() => document.querySelector<HTMLElement>('#hold-title')?.focus())
      .catch((error: unknown) => setProblem(problemOf(error)))
      .finally(() => setSending(false));
  }

  return h(
    'form',
    {
      class: `panel panel-${verdict}`,
      onSubmit: submit,
      'aria-label': sendWords[verdict],
      onKeyDown: (event: KeyboardEvent) => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit(event);
      },
    },
    [
      h('p', { key: 'effect', class: 'effect' }, effectOf(verdict, summary)),
      verdict === 'amend' && edits.length > 0
        ? h(AmendEditor, {
            key: 'editor',
            edits,
            drafts,
            onEdit: (name: string, text: string) => setDrafts({ ...drafts, [name]: text }),
          })
        : null,
      h('label', { key: 'label', for: 'reason' }, [
        'Reason ',
        h(
          'span',
          { class: 'quiet' },
          verdict === 'release' ? 'optional; sealed with the ruling' : 'required; sealed with the ruling',
        ),
      ]),
      h('div', { key: 'row', class: 'reason-row' }, [
        h('textarea', {
          id: 'reason',
          ref: field,
          rows: 2,
          maxLength: reasonCharactersMax,
          required: verdict !== 'release',
          value: reason,
          'aria-describedby': 'ruling-problem',
          onInput: (event: Event) => {
            if (event.currentTarget instanceof HTMLTextAreaElement) setReason(event.currentTarget.value);
          },
        }),
        h('button', { type: 'submit', class: `button button-main send-${verdict}`, disabled: sending }, [
          sendWords[verdict],
          ' ',
          h('kbd', { 'aria-hidden': 'true' }, isMac() ? '⌘ ↵' : 'Ctrl ↵'),
        ]),
      ]),
      h('p', { key: 'problem', id: 'ruling-problem', class: 'problem', role: 'alert' }, problem),
    ],
  );
}

function effectOf(verdict: Verdict, summary: HoldSummary): string {
  const { phase, approvals, callerWaits } = summary;
  const missing = approvals.needed - approvals.given.length;
  if (verdict === 'deny') return 'The workload gets a 403 that says a reviewer denied it. This is final.';
  if (verdict === 'release' && missing > 1)
    return `Your approval is sealed; ${missing - 1} more needed before it goes.`;
  const gets = phase === 'request' ? 'The model gets' : 'The workload gets';
  const what = verdict === 'amend' ? 'your version instead; both are sealed' : 'exactly the held bytes, once';
  return `${gets} ${what}.${callerWaits ? '' : ' Its caller is gone; a retry within 15 minutes collects it.'}`;
}

function problemOf(error: unknown): string {
  if (error instanceof ApiError)
    return `${error.message}${error.status === 0 ? '' : ` ${error.next}`}`.trim();
  return error instanceof Error ? error.message : String(error);
}

interface OverProps {
  readonly desk: Desk;
  readonly open: OpenHold;
  readonly over: string;
  readonly summary: HoldSummary;
}

/** Says that nothing can be ruled here, and what became of it. */
function Over({ desk, open, over, summary }: OverProps): ComponentChild {
  const changed = summary.state === 'pending' && open.over !== '';
  return h('div', { class: `over over-${summary.state}`, role: 'status' }, [
    h('strong', null, over),
    h('span', null, ` ${becameOf(summary)}`),
    changed ? h('button', { type: 'button', class: 'button', onClick: desk.reread }, 'Read it again') : null,
  ]);
}

const outcomeWords: Readonly<Record<string, string>> = {
  delivered: 'The workload has it.',
  denied: 'The workload was told.',
  expired: 'The workload was told; it may ask again.',
  released_undelivered: 'Nobody came to collect it.',
  interrupted: 'The delivery broke off.',
};

function becameOf(summary: HoldSummary): string {
  if (summary.state === 'pending') return 'The buttons are dead.';
  if (summary.outcome !== null) return outcomeWords[summary.outcome] ?? `Outcome: ${summary.outcome}.`;
  if (summary.state === 'released' || summary.state === 'amended') {
    return summary.callerWaits
      ? 'It is on its way to the workload.'
      : 'It waits for the workload to collect it.';
  }
  return '';
}

function Caller({ summary }: { readonly summary: HoldSummary }): ComponentChild {
  if (summary.state !== 'pending') return null;
  return h('span', { class: summary.callerWaits ? 'caller' : 'caller caller-gone' }, [
    h('span', { class: 'dot', 'aria-hidden': 'true' }),
    summary.callerWaits ? 'caller waiting' : 'caller gone',
  ]);
}

function Approvals({ summary }: { readonly summary: HoldSummary }): ComponentChild {
  const { needed, given } = summary.approvals;
  const by = given.length === 0 ? '' : ` (${given.join(', ')})`;
  return h('span', { class: 'num' }, `${given.length} of ${needed} approvals${by}`);
}

/** What a ruling here will be bound to. */
function Signed({ detail }: { readonly detail: HoldDetail }): ComponentChild {
  const { summary, policy } = detail;
  const pair = (name: string, value: string): ComponentChild =>
    h('div', { key: name }, [h('dt', null, name), h('dd', null, h('code', null, value))]);
  return h('dl', { class: 'signed', 'aria-label': 'A ruling is bound to' }, [
    pair('decision', summary.decisionId),
    pair('policy', policy.version),
    pair('digest', summary.digest),
  ]);
}

function isMac(): boolean {
  return /Mac|iPhone|iPad/.test(navigator.userAgent);
}
