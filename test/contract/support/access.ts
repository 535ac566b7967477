/** What a sidecar has sealed of people's access to its control port. */
import { z } from 'zod';

const pageSchema = z.object({
  items: z.array(z.looseObject({ type: z.string(), data: z.looseObject({}) })),
});
const pageEntries = 100;

/** The data of the `access` entries, oldest first. */
export async function accessOf(house: {
  call(path: string, init: { as: 'auditor' }): Promise<{ json: unknown }>;
}): Promise<readonly Record<string, unknown>[]> {
  const all: z.output<typeof pageSchema>['items'] = [];
  for (;;) {
    const path = `/api/v1/ledger/entries?from=${all.length}&limit=${pageEntries}`;
    const { items } = pageSchema.parse((await house.call(path, { as: 'auditor' })).json);
    all.push(...items);
    if (items.length < pageEntries) break;
  }
  return all.filter(({ type }) => type === 'access').map(({ data }) => data);
}
