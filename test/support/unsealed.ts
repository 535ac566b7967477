/** A ledger that fails for the entries of one type, as it does when too much waits or its disk is away. */
import { vi } from 'vitest';
import { HoldpointError } from '../../src/core/errors.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import type { Draft } from '../../src/ledger/sealer.ts';

/** From now on no entry of this type is taken. */
export function refuseToSeal(ledger: Ledger, type: Draft['type']): void {
  const { seal } = ledger;
  vi.spyOn(ledger, 'seal').mockImplementation((draft) => {
    if (draft.type === type) throw new HoldpointError('overloaded', 'Too much waits to be sealed.');
    return seal(draft);
  });
}

/** From now on no entry of this type is known to be on disk, though it comes there. */
export function neverDurable(ledger: Ledger, type: Draft['type']): void {
  const { seal } = ledger;
  vi.spyOn(ledger, 'seal').mockImplementation((draft) => {
    const sealed = seal(draft);
    if (draft.type !== type) return sealed;
    const away = new HoldpointError('ledger_unavailable', 'The ledger cannot be written.');
    return { ...sealed, durable: sealed.durable.then(() => Promise.reject(away)) };
  });
}
