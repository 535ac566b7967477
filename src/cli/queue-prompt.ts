/**
 * What is typed about an open hold before anything is sent: the reason, and for broken glass a second step that takes a
 * word. Pure.
 */
import { excessIn } from '../console/words/counts.ts';
import type { Detail } from './hold-answers.ts';
import type { Key } from './queue-keys.ts';

export type Prompt =
  | { readonly kind: 'release' | 'deny' | 'break-glass'; readonly text: string }
  | { readonly kind: 'confirm-break-glass'; readonly text: string; readonly reason: string };

export interface Order {
  readonly verdict: 'release' | 'deny';
  readonly reason: string;
  /** Ids of the calls that go; absent where all do. */
  readonly calls?: readonly string[];
  readonly breakGlass?: true;
}

export interface Typed {
  /** Null once it is sent or given up. */
  readonly prompt: Prompt | null;
  readonly said: string;
  readonly order: Order | null;
}

export const confirmWord = 'BREAK';
const reasonCharsMax = 4_000;
/** What is pasted beyond is dropped: as a reason it is refused long before. */
const typedCharsMax = 65_536;

/** What is asked for in the prompt's row. */
export const promptWords: Readonly<Record<Prompt['kind'], string>> = {
  release: 'Release (reason, or none)',
  deny: 'Deny, because',
  'break-glass': 'Break the glass, because',
  'confirm-break-glass': `Type ${confirmWord} to release it alone now, with an alert and a review`,
};

/** Of a hold's calls those that go. */
export function callsThatGo(hold: Detail, withheld: ReadonlySet<number>): readonly string[] {
  const calls = hold.exchange?.response?.toolCalls ?? [];
  return calls.flatMap(({ id }, place) => (withheld.has(place) ? [] : [id]));
}

/** After a key while something is typed. */
export function afterKey(prompt: Prompt, key: Key, hold: Detail, withheld: ReadonlySet<number>): Typed {
  const stay = (text: string, said = ''): Typed => ({ prompt: { ...prompt, text }, said, order: null });
  switch (key.kind) {
    case 'text':
    case 'paste':
      return stay((prompt.text + key.text).slice(0, typedCharsMax));
    case 'backspace':
      return stay([...prompt.text].slice(0, -1).join(''));
    case 'escape':
      return { prompt: null, said: 'Nothing was ruled.', order: null };
    case 'enter':
      return entered(prompt, hold, withheld);
    default:
      return stay(prompt.text);
  }
}

function entered(prompt: Prompt, hold: Detail, withheld: ReadonlySet<number>): Typed {
  const text = prompt.text.trim();
  const again = (said: string): Typed => ({ prompt, said, order: null });
  const send = (order: Order): Typed => ({ prompt: null, said: 'Sealing the ruling…', order });
  const excess = excessIn(text, reasonCharsMax);
  if (excess !== '') return again(excess);
  switch (prompt.kind) {
    case 'deny':
      return text === '' ? again('A reason is required to deny.') : send({ verdict: 'deny', reason: text });
    case 'break-glass':
      if (text === '') return again('A reason is required to break the glass.');
      return { prompt: { kind: 'confirm-break-glass', text: '', reason: text }, said: '', order: null };
    case 'confirm-break-glass':
      if (text !== confirmWord) return again(`Type ${confirmWord}, in capitals, or press escape.`);
      return send({ verdict: 'release', reason: prompt.reason, breakGlass: true });
    case 'release': {
      if (withheld.size === 0) return send({ verdict: 'release', reason: text });
      if (text === '') return again('A reason is required to withhold a call.');
      return send({ verdict: 'release', reason: text, calls: callsThatGo(hold, withheld) });
    }
  }
}
