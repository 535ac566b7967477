/** The reason's field with the button that goes on, and what stands against it. */
import { type ComponentChild, h, type RefObject } from 'preact';

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

const reasonCharactersMax = 4000;

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
        maxLength: reasonCharactersMax,
        required: !isFree,
        value: reason,
        'aria-describedby': 'ruling-problem',
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
    h('p', { id: 'ruling-problem', class: 'problem', role: 'alert' }, problem),
  ]);
}

/** The keys that send, as this machine writes them. */
export function sendKeys(): string {
  return /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘ ↵' : 'Ctrl ↵';
}
