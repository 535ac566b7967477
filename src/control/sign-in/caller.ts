/**
 * Who asks on the control port. Names of tokens have no colon, so that a name that begins with a kind and a colon is
 * never a token's, and no kind's name is another's:
 *
 *     ada                                         a token
 *     oidc:https://id.example.com#248289761001    issuer and subject of an ID token; an issuer has no fragment
 *     certificate:spiffe://example.com/ada        a URI, or `certificate:cn=ada`, which is none
 *     kubernetes:system:serviceaccount:ops:bot    a service account as the cluster names it
 */
import type { Identity } from '../../store/token-file.ts';

export interface Caller extends Identity {
  /** What people call them. Anybody may choose that at their provider: it stands beside the name, never for it. */
  readonly display?: string;
}

/** Notes what is known of somebody before they are let in, for the record of a refusal. */
export type Note = (about: { by?: string; why?: string }) => void;

const displayCharactersMax = 128;

/** One line of what a provider says somebody is called; undefined where nothing is left of it. */
export function displayOf(text: string): string | undefined {
  const shown = text
    .normalize('NFC')
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
    .trim();
  return shown === '' ? undefined : [...shown].slice(0, displayCharactersMax).join('');
}
