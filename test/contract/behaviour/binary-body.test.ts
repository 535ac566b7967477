/** A body that is no text is shown so that it can be turned back into the bytes that were sealed. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually, type House, startHouse } from '../support/sidecar.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.close());

it('in base64, and not as a text in which other characters stand for what is none', async () => {
  const body = Buffer.from('{"model":"gpt-test","prompt":"Zo\xeb"}', 'latin1');
  const over = new AbortController();
  const headers = { 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body, signal: over.signal };
  const asked = fetch(`${house.sidecar.proxyUrl}/v1/chat/completions`, init).catch(() => null);
  const listed = z.object({ items: z.array(z.object({ id: z.string() })) });
  const id = await eventually(
    async () => listed.parse((await house.call('/api/v1/decisions?limit=1')).json).items[0]?.id ?? null,
  );
  const { bodies } = z
    .object({ bodies: z.array(z.object({ base64: z.string().optional(), text: z.string().optional() })) })
    .parse((await house.call(`/api/v1/decisions/${id}/body`)).json);
  expect(bodies[0]).toEqual({ base64: body.toString('base64') });
  over.abort();
  await asked;
});
