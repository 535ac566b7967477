/** The reason's field with the button that goes on, and what stands against it. */
import { type ComponentChild, h, type RefObject } from 'preact';
import { isTooLong, TooLong } from './too-long.ts';

interface ReasonRowProps {
  readonly field: RefObject<HTMLTextAreaElement | null>;
  readonly reason: string;
  readonly setReason: (reason: string) => void;
  /** Whether it may be left empty. */
  readonly isFree: boolean;
  readonly send: string;
  readonly sending: boolean;
  readonly problem: string;
  readonly kind: string;
}

export function ReasonRow(props: ReasonRowProps): ComponentChild {
  const { field, reason, setReason, isFree, send, sending, problem, kind } = props;
  return h('div', null, [
    h('label', { for: 'reason' }, [
      'Reason ',
      h('span', { class: 'quiet' }, `${isFree ? 'optional' : 'required'}; sealed with the ruling`),
    ]),
    h('div', { class: 'reason-row' }, [
      h('textarea', {
        id: 'reason',
        ref: field,
        rows: 2,
        required: !isFree,
        value: reason,
        'aria-invalid': isTooLong(reason) ? 'true' : 'false',
        'aria-describedby': 'reason-excess ruling-problem',
        onInput: (event: Event) => {
          if (event.currentTarget instanceof HTMLTextAreaElement) setReason(event.currentTarget.value);
        },
      }),
      h('button', { type: 'submit', class: `button button-main send-${kind}`, disabled: sending }, [
        send,
        ' ',
        h('kbd', { 'aria-hidden': 'true' }, sendKeys()),
      ]),
    ]),
    h(TooLong, { id: 'reason-excess', text: reason }),
    h('p', { id: 'ruling-problem', class: 'problem', role: 'alert' }, problem),
  ]);
}

/**
 * For a form that sends: Ctrl or ⌘ with Enter does. A key that is held down never sends, on a button neither: what was
 * refused while it was down would be sent again unasked.
 */
export function sendsByKeys(submit: (event: Event) => void): (event: KeyboardEvent) => void {
  return (event) => {
    if (event.key !== 'Enter') return;
    const isSending = event.ctrlKey || event.metaKey;
    if (!event.repeat) {
      if (isSending) submit(event);
      return;
    }
    // In a text it goes on to make lines.
    if (isSending || !(event.target instanceof HTMLTextAreaElement)) event.preventDefault();
  };
}

/** The keys that send, as this machine writes them. */
export function sendKeys(): string {
  return /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘ ↵' : 'Ctrl ↵';
}
