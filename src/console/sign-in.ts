/** Signing in: a pasted token, kept for this tab only. */
import { type ComponentChild, h } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Desk, DeskState } from './desk.ts';
import { Wordmark } from './top-bar.ts';

export function SignIn({ desk, state }: { readonly desk: Desk; readonly state: DeskState }): ComponentChild {
  const [token, setToken] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const { refusal, signingIn } = state;
  useEffect(() => {
    if (!signingIn) field.current?.focus();
  }, [signingIn]);
  function submit(event: Event): void {
    event.preventDefault();
    const pasted = token.trim();
    if (pasted !== '') desk.signIn(pasted).catch(() => setToken(''));
  }
  return h(
    'main',
    { class: 'sign-in' },
    h('form', { onSubmit: submit, 'aria-labelledby': 'sign-in-title' }, [
      h(Wordmark, {}),
      h('h1', { id: 'sign-in-title' }, 'Sign in to review'),
      h('label', { for: 'token' }, 'Your token'),
      h('input', {
        id: 'token',
        ref: field,
        type: 'password',
        autocomplete: 'off',
        spellcheck: false,
        autocapitalize: 'off',
        placeholder: 'hp_…',
        value: token,
        disabled: signingIn,
        'aria-invalid': refusal === '' ? 'false' : 'true',
        'aria-describedby': 'sign-in-refusal sign-in-hint',
        onInput: (event: Event) => {
          if (event.currentTarget instanceof HTMLInputElement) setToken(event.currentTarget.value);
        },
      }),
      h('p', { id: 'sign-in-refusal', class: 'problem', role: 'alert' }, refusal),
      h('button', { type: 'submit', class: 'button button-main', disabled: signingIn }, 'Sign in'),
      h('p', { id: 'sign-in-hint', class: 'quiet' }, [
        'It stays in this tab and ends with it. To make one: ',
        h('code', null, 'holdpoint token new --name you --role reviewer'),
      ]),
    ]),
  );
}
