/** A form with a reason, sent once at a time. */
import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import { problemOf } from '../hold/ruling-panel.ts';

interface ReasonFormProps {
  readonly class: string;
  readonly send: string;
  readonly sending: (form: FormData) => Promise<void>;
  readonly onDone: () => void;
  readonly children?: ComponentChild;
}

export function ReasonForm({
  class: place,
  send,
  sending,
  onDone,
  children,
}: ReasonFormProps): ComponentChild {
  const [isSending, setSending] = useState(false);
  const [problem, setProblem] = useState('');
  function submit(event: SubmitEvent): void {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement) || isSending) return;
    setSending(true);
    setProblem('');
    sending(new FormData(event.currentTarget))
      .then(onDone, (error: unknown) => setProblem(problemOf(error)))
      .finally(() => setSending(false));
  }
  return h('form', { class: place, onSubmit: submit }, [
    children,
    h('label', null, [
      ['Reason ', h('span', { class: 'quiet' }, 'required; sealed')],
      h('input', { name: 'reason', required: true, autocomplete: 'off' }),
    ]),
    h(
      'p',
      { class: 'actions' },
      h('button', { type: 'submit', class: 'button button-main', disabled: isSending }, send),
    ),
    h('p', { class: 'problem', role: 'alert' }, problem),
  ]);
}
