/**
 * Erasures that people asked for and that have not ended: what a stop, a kill or a power failure cuts off goes on at the
 * next start. One file, replaced whole and gone when none is left. Data subjects stand in it by their fingerprints.
 */
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { HoldpointError, refusalOf } from '../core/errors.ts';
import { bases, type KeptOrder, type KeptOrders, matchFields } from '../ledger/erasure.ts';
import { removeDurably, writeWholeFile } from './whole-file.ts';

const matchSchema = z.strictObject(
  Object.fromEntries(matchFields.map((field) => [field, z.string().exactOptional()])),
);
const keptSchema = z.strictObject({
  /** What its entries share. */
  id: z.string().regex(/^[0-9a-f]{16}$/),
  by: z.string(),
  role: z.enum(['privacy', 'admin']),
  basis: z.enum(bases),
  reason: z.string(),
  /** Absent in what earlier versions kept: such an order is of no decision that is there. */
  meant: z
    .string()
    .regex(/^([0-9a-f]{64})?$/)
    .default(''),
  scope: z.union([
    z.strictObject({ decision: z.int().min(0) }),
    z.strictObject({ subject: z.string() }),
    z.strictObject({ match: matchSchema, before: z.iso.datetime().exactOptional() }),
  ]),
});
const fileSchema = z.strictObject({ version: z.literal(1), orders: z.array(keptSchema) });

/** Throws `config_invalid` for a file that cannot be read: an erasure that was granted must not be forgotten. */
export function openErasureOrders(file: string): KeptOrders {
  let orders = readOrders(file);

  function replace(next: readonly KeptOrder[]): void {
    try {
      write(file, next);
    } catch (error) {
      const what = `What is to be erased cannot be kept in ${file}: ${refusalOf(error)}.${putBack()}`;
      throw new HoldpointError('ledger_unavailable', what, 'Make room on its disk, then ask again.', error);
    }
    orders = next;
  }

  /** The new ones may have their name already: what was refused must not be carried out at the next start. */
  function putBack(): string {
    try {
      write(file, orders);
      return '';
    } catch (error) {
      return ` Nor can what was there be put back (${refusalOf(error)}): the next start may go on with it all the same.`;
    }
  }

  return {
    all: () => orders,
    keep: (order) => replace([...orders, order]),
    drop: (id) => replace(orders.filter((order) => order.id !== id)),
  };
}

/** There whole or not at all; on disk when it returns. */
function write(file: string, orders: readonly KeptOrder[]): void {
  if (orders.length === 0) removeDurably(file);
  else writeWholeFile(file, `${JSON.stringify({ version: 1, orders })}\n`);
}

function readOrders(file: string): readonly KeptOrder[] {
  if (!existsSync(file)) return [];
  try {
    return fileSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).orders;
  } catch (error) {
    throw new HoldpointError(
      'config_invalid',
      `${file}, which has the erasures that were asked for and have not ended, cannot be read: ${refusalOf(error)}.`,
      'Move it away, and ask again for the erasures that it names.',
      error,
    );
  }
}
