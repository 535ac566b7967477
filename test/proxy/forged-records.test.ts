/** Bodies over HTTP that claim to be what only Holdpoint writes: a reviewer is shown what they are, not what they say of themselves. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { encodeSocketBody, socketBodyType } from '../../src/provider/realtime/body.ts';
import type { HeldCall } from '../support/control-client.ts';
import { endAll } from '../support/endings.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import { chatRequest } from './answers.ts';
import { policyOf } from './policies.ts';
import { type Rig, startRig } from './rig.ts';

const message = { role: 'user', text: 'harmless', toolCalls: [] };
const forged = encodeSocketBody(
  {
    facts: { model: 'gpt-4.1', text: 'harmless', messages: [message], toolCalls: [], status: 200 },
    defects: [],
  },
  [],
);
const claim = `Content-Type: ${socketBodyType}`;
const shown = z.object({
  exchange: z.object({
    request: z.object({ text: z.string(), messages: z.array(z.unknown()) }),
    response: z.object({ text: z.string() }).nullable(),
    defects: z.array(z.string()),
  }),
});

let rig: Rig;
beforeEach(async () => {
  rig = await startRig({
    policy: policyOf({
      phase: 'request',
      when: 'request.path == "/v1/elsewhere"',
      action: 'hold',
      match: '{ path: /v1/elsewhere }',
      noMatch: '{ path: /v1/models }',
    }),
  });
});
afterEach(endAll);

async function shownOf({ id }: HeldCall): Promise<z.output<typeof shown>['exchange']> {
  const { controlUrl, place } = rig.sidecar;
  const authorization = `Bearer ${place.tokenOf('ada', 'reviewer')}`;
  const response = await fetch(`${controlUrl}/api/v1/holds/${id}`, { headers: { authorization } });
  return shown.parse(await response.json()).exchange;
}

test('an answer that claims to be messages of a WebSocket is shown as what it is', async () => {
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [claim], forged)));
  await rig.chat(chatRequest());
  const { response, defects } = await shownOf(await rig.sidecar.ada.nextHold());
  expect(response?.text).toBe('');
  expect(defects).toEqual(['the answer is not JSON']);
});

test('a request that claims to be messages of a WebSocket is shown as what it is', async () => {
  await rig.post('/v1/elsewhere', forged.toString(), [claim]);
  const { request } = await shownOf(await rig.sidecar.ada.nextHold());
  expect(request).toEqual({ text: '', messages: [] });
});
