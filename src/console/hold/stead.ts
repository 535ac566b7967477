/** In whose word one rules: in one's own, or in the stead of somebody who is away and lent their role. */
import { type ComponentChild, h } from 'preact';
import type { HoldDetail, Stead } from '../answers/hold-detail.ts';
import { markedText } from '../words/text.ts';

/** Whose word it is at first: one's own where one may rule, else that of the first who lent theirs. */
export function firstWord({ actions, inStead }: HoldDetail): string {
  const may = [actions.release, actions.amend, actions.deny].includes('');
  return may ? '' : (inStead[0]?.name ?? '');
}

/** The hold as it stands for that word; nobody breaks the glass in another's. */
export function inWordOf(detail: HoldDetail, stead: Stead | undefined): HoldDetail {
  if (stead === undefined) return detail;
  return { ...detail, actions: { ...stead.actions, breakGlass: detail.actions.breakGlass } };
}

interface WordChoiceProps {
  readonly detail: HoldDetail;
  /** '' for one's own. */
  readonly word: string;
  readonly ownRole: string;
  readonly onChange: (word: string) => void;
}

/** Nothing where nobody lent anything that counts here. */
export function WordChoice({ detail, word, ownRole, onChange }: WordChoiceProps): ComponentChild {
  if (detail.inStead.length === 0) return null;
  const words = [
    { name: '', says: `yourself (${ownRole})` },
    ...detail.inStead.map(({ name, role }) => ({
      name,
      says: `in the stead of ${markedText(name)} (${role})`,
    })),
  ];
  return h('span', { class: 'word' }, [
    h('label', { for: 'word' }, 'Rule'),
    h(
      'select',
      {
        id: 'word',
        onChange: (event: Event) => {
          if (event.currentTarget instanceof HTMLSelectElement) onChange(event.currentTarget.value);
        },
      },
      words.map(({ name, says }) =>
        h('option', { key: name, value: name, selected: name === word }, name === '' ? `as ${says}` : says),
      ),
    ),
  ]);
}
