/** Signing in: at the provider that the sidecar offers, or by a pasted token, which is exchanged for a session. */
import { type ComponentChild, h } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Offer } from '../desk/api.ts';
import type { Desk, DeskState } from '../desk/desk.ts';
import { Wordmark } from '../drawn/top-bar.ts';

export function SignIn({ desk, state }: { readonly desk: Desk; readonly state: DeskState }): ComponentChild {
  const [token, setToken] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const { refusal, signingIn, offer } = state;
  useEffect(() => {
    if (!signingIn) field.current?.focus();
  }, [signingIn]);
  function submit(event: Event): void {
    event.preventDefault();
    const pasted = token.trim();
    if (pasted === '') return;
    desk.signIn(pasted);
    setToken('');
  }
  return h(
    'main',
    { class: 'sign-in' },
    h('form', { onSubmit: submit, 'aria-labelledby': 'sign-in-title' }, [
      h(Wordmark, {}),
      h('h1', { id: 'sign-in-title' }, 'Sign in to review'),
      offer === null ? null : h(Elsewhere, { key: 'elsewhere', desk, offer, signingIn }),
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
        'It begins a session and is not kept here. To make one: ',
        h('code', null, 'holdpoint token new --name you --role reviewer'),
      ]),
    ]),
  );
}

interface ElsewhereProps {
  readonly desk: Desk;
  readonly offer: Offer;
  readonly signingIn: boolean;
}

/** The provider sends people back to one address, and what this page keeps is this address's own. */
function Elsewhere({ desk, offer, signingIn }: ElsewhereProps): ComponentChild {
  if (offer.origin !== location.origin)
    return h('p', null, [
      `${offer.label} works at `,
      h('a', { href: `${offer.origin}/` }, offer.origin),
      '.',
    ]);
  return h('div', { class: 'sign-in-elsewhere' }, [
    h(
      'button',
      { type: 'button', class: 'button button-main', disabled: signingIn, onClick: desk.signInElsewhere },
      `Sign in with ${offer.label}`,
    ),
    h('p', { class: 'quiet' }, 'Or with a token:'),
  ]);
}
