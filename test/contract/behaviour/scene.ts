/** Holds and what is sealed of them, as control calls tell it. */
import { z } from 'zod';
import { type Answer, type Held, type House, nextHold } from '../support/sidecar.ts';

export const rule = (
  house: House,
  held: Held,
  ruling: object,
  as: 'reviewer' | 'admin' = 'reviewer',
): Promise<Answer> =>
  house.call(`/api/v1/holds/${held.id}/rulings`, { as, json: { digest: held.digest, ...ruling } });

export async function holdOn(house: House, prompt: string) {
  const asked = house.ask(prompt);
  return { asked, held: await nextHold(house) };
}

export const entrySchema = z.object({
  seq: z.number(),
  type: z.string(),
  data: z.record(z.string(), z.unknown()),
});
export async function entriesOf(house: House, decisionId: string) {
  const { json } = await house.call(`/api/v1/decisions/${decisionId}`);
  return z.object({ entries: z.array(entrySchema) }).parse(json).entries;
}

export const linesSchema = z.object({
  items: z.array(z.looseObject({ id: z.string(), decisionId: z.string(), digest: z.string() })),
  next: z.string().nullable(),
});
