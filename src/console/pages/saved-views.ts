/**
 * Searches that a reviewer keeps under a name, in this browser and for this person alone. One that names a data subject
 * is not kept: no erasure would reach it.
 */
import { isShape } from '../answers/shape.ts';

export interface SavedView {
  readonly name: string;
  /** The terms as they stand in the address. */
  readonly query: string;
}

export const viewsMax = 30;
export const nameCharactersMax = 40;
const queryCharactersMax = 2_048;

const storedAs = (person: string): string => `holdpoint.views.${person}`;

/** Those of a person, by name; none where nothing that can be read is kept. */
export function savedViewsOf(storage: Storage, person: string): readonly SavedView[] {
  try {
    const value: unknown = JSON.parse(storage.getItem(storedAs(person)) ?? '[]');
    return Array.isArray(value) ? value.flatMap(readView).slice(0, viewsMax) : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

/** Why a search cannot be kept, as a sentence; '' where it can. */
export function whyNotSaved(query: string): string {
  if (new URLSearchParams(query).has('subject'))
    return 'A search for a subject is not kept in the browser, where an erasure would not reach it.';
  return query.length > queryCharactersMax ? 'A search this long is not kept.' : '';
}

/**
 * Keeps a search; an earlier one of that name gives way to it, and no other: where another tab has filled the list
 * meanwhile, it is not kept. What is kept now, by name.
 */
export function saveView(storage: Storage, person: string, view: SavedView): readonly SavedView[] {
  const name = view.name.trim().slice(0, nameCharactersMax);
  const before = savedViewsOf(storage, person);
  const others = before.filter((other) => other.name !== name);
  if (others.length >= viewsMax) return before;
  const views = [...others, { name, query: view.query }].sort((a, b) => a.name.localeCompare(b.name));
  return keep(storage, person, views);
}

export function removeView(storage: Storage, person: string, name: string): readonly SavedView[] {
  return keep(
    storage,
    person,
    savedViewsOf(storage, person).filter((view) => view.name !== name),
  );
}

function keep(storage: Storage, person: string, views: readonly SavedView[]): readonly SavedView[] {
  storage.setItem(storedAs(person), JSON.stringify(views));
  return views;
}

function readView(value: unknown): readonly SavedView[] {
  if (!isShape(value)) return [];
  const { name, query } = value;
  const isWhole = typeof name === 'string' && typeof query === 'string' && name !== '';
  return isWhole
    ? [{ name: name.slice(0, nameCharactersMax), query: query.slice(0, queryCharactersMax) }]
    : [];
}
