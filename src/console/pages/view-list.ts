/** Saved searches above what was found: to go to one, to keep the present one under a name, to remove one. */
import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import { Recorded } from '../drawn/recorded.ts';
import {
  nameCharactersMax,
  removeView,
  type SavedView,
  savedViewsOf,
  saveView,
  viewsMax,
  whyNotSaved,
} from './saved-views.ts';

interface ViewListProps {
  readonly query: string;
  /** Whose searches. */
  readonly person: string;
}

export function ViewList({ query, person }: ViewListProps): ComponentChild {
  const [views, setViews] = useState(() => savedViewsOf(localStorage, person));
  const known = views.find((view) => isSame(view.query, query));
  if (views.length === 0 && query === '') return null;
  return h('div', { class: 'views' }, [
    views.length === 0
      ? null
      : h(
          'ul',
          { 'aria-label': 'Saved searches' },
          views.map((view) =>
            h(Entry, {
              key: view.name,
              view,
              isHere: view === known,
              remove: () => setViews(removeView(localStorage, person, view.name)),
            }),
          ),
        ),
    query === '' || known !== undefined
      ? null
      : h(Save, {
          query,
          isFull: views.length >= viewsMax,
          save: (name) => setViews(saveView(localStorage, person, { name, query })),
        }),
  ]);
}

function Entry(props: {
  readonly view: SavedView;
  readonly isHere: boolean;
  readonly remove: () => void;
}): ComponentChild {
  const { view, isHere, remove } = props;
  const href = `#/decisions${view.query === '' ? '' : `?${view.query}`}`;
  return h('li', { class: isHere ? 'view view-here' : 'view' }, [
    h('a', { href, 'aria-current': isHere ? 'page' : undefined }, h(Recorded, { text: view.name })),
    h(
      'button',
      {
        type: 'button',
        'aria-label': `Remove the saved search ${view.name}`,
        title: 'Remove',
        onClick: remove,
      },
      '×',
    ),
  ]);
}

function Save(props: {
  readonly query: string;
  readonly isFull: boolean;
  readonly save: (name: string) => void;
}): ComponentChild {
  const { query, isFull, save } = props;
  const [name, setName] = useState<string | null>(null);
  const why = isFull ? `${viewsMax} searches are saved; remove one first.` : whyNotSaved(query);
  if (why !== '') return h('p', { class: 'quiet' }, why);
  if (name === null)
    return h(
      'button',
      { type: 'button', class: 'button button-quiet', onClick: () => setName('') },
      'Save this search …',
    );
  return h(
    'form',
    {
      class: 'view-save',
      onKeyDown: (event: KeyboardEvent) => {
        if (event.key !== 'Escape') return;
        event.preventDefault();
        setName(null);
      },
      onSubmit: (event: Event) => {
        event.preventDefault();
        if (name.trim() === '') return;
        save(name);
        setName(null);
      },
    },
    [
      h('label', { for: 'view-name' }, 'Under the name'),
      h('input', {
        id: 'view-name',
        ref: (element: HTMLInputElement | null) => {
          if (element !== null && name === '') element.focus();
        },
        autocomplete: 'off',
        spellcheck: false,
        maxLength: nameCharactersMax,
        value: name,
        onInput: (event: Event) => {
          if (event.currentTarget instanceof HTMLInputElement) setName(event.currentTarget.value);
        },
      }),
      h('button', { type: 'submit', class: 'button' }, 'Save'),
    ],
  );
}

/** Whether two searches have the same terms, in whatever order and coding. */
function isSame(a: string, b: string): boolean {
  const sorted = (query: string): string => {
    const terms = new URLSearchParams(query);
    terms.sort();
    return terms.toString();
  };
  return sorted(a) === sorted(b);
}
