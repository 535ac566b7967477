/** Searches under a name, as several tabs of one browser keep them. */
import { expect, it } from 'vitest';
import {
  type SavedView,
  savedViewsOf,
  saveView,
  viewsMax,
} from '../../../../src/console/pages/saved-views.ts';

/** What browsers have, as far as it is used. */
function createStorage(): Storage {
  const items = new Map<string, string>();
  return {
    get length() {
      return items.size;
    },
    key: (index) => [...items.keys()][index] ?? null,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
    clear: () => items.clear(),
  };
}

const view = (name: string, query = 'model=gpt-4.1'): SavedView => ({ name, query });

it('a search that another tab left no room for puts out none that is kept', () => {
  const storage = createStorage();
  for (let i = 0; i < viewsMax; i += 1) saveView(storage, 'grace', view(`search ${i}`));
  const kept = savedViewsOf(storage, 'grace');
  expect(saveView(storage, 'grace', view('a first one'))).toEqual(kept);
  expect(savedViewsOf(storage, 'grace')).toEqual(kept);
});

it('a search takes the place of the one of its name, however many are kept', () => {
  const storage = createStorage();
  for (let i = 0; i < viewsMax; i += 1) saveView(storage, 'grace', view(`search ${i}`));
  saveView(storage, 'grace', view('search 7', 'model=o3'));
  const kept = savedViewsOf(storage, 'grace');
  expect([kept.length, kept.find(({ name }) => name === 'search 7')?.query]).toEqual([viewsMax, 'model=o3']);
});

it('a search is one person’s', () => {
  const storage = createStorage();
  saveView(storage, 'grace', view('mine'));
  expect(savedViewsOf(storage, 'mia')).toEqual([]);
});
