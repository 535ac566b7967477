/** Orders of erasures that are kept in memory, for desks that have no directory; they outlive the desk, as a file does. */
import type { KeptOrder, KeptOrders } from '../../src/ledger/erasure.ts';

export function createKeptOrders(): KeptOrders {
  const orders = new Map<string, KeptOrder>();
  return {
    all: () => [...orders.values()],
    keep: (order) => void orders.set(order.id, order),
    drop: (id) => void orders.delete(id),
  };
}
