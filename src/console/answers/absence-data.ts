/** Who rules in whose stead, as the control port answers it. */
import { flagIn, instantIn, listIn, numberIn, shapeOf, textIn } from './shape.ts';

export interface Delegation {
  /** Of the entry that began it, which names it. */
  readonly seq: number;
  /** Who is away. */
  readonly from: string;
  readonly role: string;
  readonly to: string;
  readonly untilMs: number;
  readonly inForce: boolean;
}

export function readDelegation(value: unknown): Delegation {
  const from = shapeOf(value, 'delegation');
  return {
    seq: numberIn(from, 'seq'),
    from: textIn(from, 'from'),
    role: textIn(from, 'role'),
    to: textIn(from, 'to'),
    untilMs: instantIn(from, 'until'),
    inForce: flagIn(from, 'inForce'),
  };
}

export function readDelegations(value: unknown): readonly Delegation[] {
  return listIn(shapeOf(value, 'delegations'), 'items', readDelegation);
}
