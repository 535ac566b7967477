/** Says whether what is ruled here is signed, and makes the key that signs it. */
import { type ComponentChild, h } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Desk } from '../desk/desk.ts';
import type { SigningState } from '../desk/signing.ts';

export function SigningKey({ desk }: { readonly desk: Desk }): ComponentChild {
  const [state, setState] = useState<SigningState | null>(null);
  const [problem, setProblem] = useState('');
  const [making, setMaking] = useState(false);
  const fail = (error: unknown): void => setProblem(error instanceof Error ? error.message : String(error));
  useEffect(() => {
    desk.signing().then(setState, fail);
  }, [desk]);
  function make(): void {
    setMaking(true);
    setProblem('');
    desk
      .makeKey()
      .then(setState, fail)
      .finally(() => setMaking(false));
  }
  return h('p', { class: 'quiet signing' }, [
    state === null ? '' : wordsOf(state),
    state !== null && state.fingerprint === ''
      ? h(
          'button',
          { type: 'button', class: 'button', disabled: making, onClick: make },
          'Make a signing key',
        )
      : null,
    h('span', { class: 'problem', role: 'alert' }, problem),
  ]);
}

function wordsOf({ fingerprint, required }: SigningState): string {
  if (fingerprint !== '') return `Signed with the key ${fingerprint} in this browser. `;
  return required
    ? 'Rulings are signed here, and this browser has no key of yours. '
    : 'Not signed: this browser has no key of yours. ';
}
