/** Which calls of an answer go and which are withheld, a line for each. */
import { type ComponentChild, h } from 'preact';
import type { ToolCall } from '../answers/exchange-data.ts';
import { Recorded } from '../drawn/recorded.ts';

interface CallChoiceProps {
  readonly calls: readonly ToolCall[];
  readonly withheld: ReadonlySet<number>;
  /** Why they cannot be told apart; '' where they can. */
  readonly why: string;
  readonly onChange: (withheld: ReadonlySet<number>) => void;
}

export function CallChoice({ calls, withheld, why, onChange }: CallChoiceProps): ComponentChild {
  if (why !== '') return h('p', { class: 'quiet' }, `All ${calls.length} calls go together: ${why}`);
  const turn = (place: number): void => {
    const next = new Set(withheld);
    if (!next.delete(place)) next.add(place);
    onChange(next);
  };
  return h('fieldset', { class: 'call-choice' }, [
    h('legend', null, [
      'Calls that go ',
      h('span', { class: 'num quiet' }, `${calls.length - withheld.size} of ${calls.length}`),
    ]),
    calls.map((call, place) => {
      const goes = !withheld.has(place);
      return h('label', { key: place, class: goes ? 'choice' : 'choice choice-withheld' }, [
        h('input', { type: 'checkbox', checked: goes, onChange: () => turn(place) }),
        h('code', { class: 'choice-name' }, h(Recorded, { text: call.name || '(no name)' })),
        h('span', { class: 'choice-with quiet' }, h(Recorded, { text: oneLine(call.argumentsText) })),
        h('span', { class: `choice-word${goes ? '' : ' flag'}` }, goes ? 'goes' : 'withheld'),
      ]);
    }),
  ]);
}

const charactersMax = 300;

/** The arguments as far as a line has room; the page has them whole. */
function oneLine(source: string): string {
  const text = source.replace(/\s+/g, ' ').trim();
  return text.length > charactersMax ? `${text.slice(0, charactersMax)}…` : text;
}
