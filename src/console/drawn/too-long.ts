/** A text that is longer than the sidecar takes is left as it was typed or pasted: the page says by how much, and sends nothing. */
import { type ComponentChild, h } from 'preact';
import { excessIn } from '../words/counts.ts';

/** Of a reason, a comment and a finding, as JavaScript counts them. */
export const writtenCharactersMax = 4_000;

interface TooLongProps {
  readonly id: string;
  readonly text: string;
}

export function isTooLong(text: string): boolean {
  return text.length > writtenCharactersMax;
}

export function TooLong({ id, text }: TooLongProps): ComponentChild {
  return h('p', { id, class: 'problem' }, excessIn(text, writtenCharactersMax));
}
