/**
 * Breaking the glass: one person releases alone and at once, past the approvals that are needed. Two steps, each sent by
 * itself; a key that is held down goes no further than the first.
 */
import { type ComponentChild, h } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { HoldDetail } from '../answers/hold-detail.ts';
import type { Desk } from '../desk/desk.ts';
import { focusHold } from '../desk/focus.ts';
import { collecting } from '../desk/ruling-words.ts';
import { ReasonRow, sendKeys, sendsByKeys } from '../drawn/reason.ts';
import { isTooLong } from '../drawn/too-long.ts';
import { spanText } from '../words/time.ts';
import { problemOf } from './ruling-panel.ts';

interface BreakGlassProps {
  readonly desk: Desk;
  readonly detail: HoldDetail;
  readonly reason: string;
  readonly setReason: (reason: string) => void;
}

export function BreakGlass(props: BreakGlassProps): ComponentChild {
  const { desk, detail, reason, setReason } = props;
  const [step, setStep] = useState<'reason' | 'confirm'>('reason');
  const [sending, setSending] = useState(false);
  const [problem, setProblem] = useState('');
  const field = useRef<HTMLTextAreaElement>(null);
  const title = useRef<HTMLHeadingElement>(null);
  // Before the next key is heard: it belongs to the reason.
  useLayoutEffect(() => {
    if (step === 'reason') field.current?.focus();
    else title.current?.focus();
  }, [step]);

  function send(): void {
    setSending(true);
    desk
      .rule({ verdict: 'release', reason, breakGlass: true })
      .then(() => focusHold(desk, detail.summary.id))
      .catch((error: unknown) => setProblem(problemOf(error)))
      .finally(() => setSending(false));
  }

  function submit(event: Event): void {
    event.preventDefault();
    if (sending) return;
    if (reason.trim() === '' || isTooLong(reason)) {
      setProblem(isTooLong(reason) ? 'Shorten the reason.' : 'A reason is required to break the glass.');
      field.current?.focus();
      return;
    }
    setProblem('');
    if (step === 'reason') setStep('confirm');
    else send();
  }

  return h(
    'form',
    {
      class: 'panel panel-break-glass',
      'aria-label': 'Break glass',
      onSubmit: submit,
      onKeyDown: sendsByKeys(submit),
    },
    [
      h('h2', { key: 'title', ref: title, tabIndex: -1, class: 'panel-title' }, [
        step === 'reason' ? 'Break the glass: step 1 of 2' : 'Break the glass: step 2 of 2',
      ]),
      h(Consequences, { key: 'what', detail }),
      step === 'reason'
        ? h(ReasonRow, {
            key: 'reason',
            field,
            reason,
            setReason,
            isFree: false,
            send: 'Go on',
            sending: false,
            problem,
            kind: 'next',
          })
        : h('div', { key: 'confirm' }, [
            h('blockquote', { class: 'given-reason' }, reason),
            h('div', { class: 'confirm-row' }, [
              h(
                'button',
                { type: 'submit', class: 'button button-main send-break-glass', disabled: sending },
                ['Break the glass now ', h('kbd', { 'aria-hidden': 'true' }, sendKeys())],
              ),
              h('button', { type: 'button', class: 'button', onClick: () => setStep('reason') }, 'Back'),
            ]),
            h('p', { class: 'problem', role: 'alert' }, problem),
          ]),
    ],
  );
}

/** What it passes over, what it sets off, and how long what it released can be collected. */
function Consequences({ detail }: { readonly detail: HoldDetail }): ComponentChild {
  const { summary, breakGlassCollectInMs } = detail;
  const { needed, given } = summary.approvals;
  const withinMs = breakGlassCollectInMs ?? detail.collectInMs;
  return h('ul', { class: 'consequences' }, [
    h('li', null, [
      h('strong', null, 'You release it alone. '),
      needed > 1 ? `${given.length} of ${needed} approvals are given; the others are passed over.` : '',
      ` ${summary.phase === 'request' ? 'The model' : 'The workload'} gets exactly the held bytes, once.`,
    ]),
    h('li', null, [
      h('strong', null, 'It alerts, and it will be reviewed. '),
      'Everybody at a console sees it at once; your name and reason are sealed.',
    ]),
    h('li', null, [
      h('strong', null, `It is good for ${spanText(withinMs)}. `),
      summary.callerWaits ? 'Its caller waits now.' : collecting(summary, withinMs).trim(),
    ]),
  ]);
}
