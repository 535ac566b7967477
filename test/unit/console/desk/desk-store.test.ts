import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../../src/console/desk/api.ts';
import { closedPage, signedOut } from '../../../../src/console/desk/desk-state.ts';
import { createStore } from '../../../../src/console/desk/desk-store.ts';

const identity = { name: 'ada', display: 'ada', role: 'reviewer', permissions: [] };

describe('a ruling that was not taken', () => {
  const refusal = new ApiError(409, 'already_ruled', 'It was ruled on already.', '');
  const silence = new ApiError(0, 'unreachable', 'The sidecar cannot be reached.', '');

  it('is kept for a reviewer who turned elsewhere, once a hold, the newest first', () => {
    const store = createStore({ ...signedOut, identity, open: closedPage('three') });
    store.refuse('one', refusal);
    store.refuse('two', refusal);
    store.refuse('one', refusal);
    expect(store.get().refused.map(({ id }) => id)).toEqual(['one', 'two']);
  });

  it('is left to the page of the hold where that is open, and told to nobody who is signed out', () => {
    const store = createStore({ ...signedOut, identity, open: closedPage('one') });
    store.refuse('one', refusal);
    store.set({ identity: null, open: null });
    store.refuse('two', refusal);
    expect(store.get().refused).toEqual([]);
  });

  it('may have been taken all the same where no answer came, or none that says so', () => {
    const store = createStore({ ...signedOut, identity });
    store.refuse('one', silence);
    store.refuse('two', new ApiError(502, '', 'The sidecar answered 502.', ''));
    store.refuse('three', refusal);
    expect(store.get().refused.map(({ isSure }) => isSure)).toEqual([true, false, false]);
  });
});
