/** Changes of the ledger's keys, by an admin, on the record. */
import { HoldpointError } from '../../core/errors.ts';
import { wrongInput } from '../../core/wrong-input.ts';
import { changeKeys, keyChangeSchema } from '../api/keys.ts';
import { type ControlRequest, type Route, readJsonBody, sendJson } from '../http.ts';
import type { ControlParts } from '../parts.ts';

export function keyRoutes(parts: ControlParts): Route[] {
  return [
    {
      method: 'POST',
      path: '/api/v1/keys',
      operation: changeKeys,
      handle: (request) => change(parts, request),
    },
  ];
}

async function change({ keyring }: ControlParts, request: ControlRequest): Promise<void> {
  const { res, identity } = request;
  const parsed = keyChangeSchema.safeParse(await readJsonBody(request));
  if (!parsed.success)
    throw new HoldpointError('invalid_argument', wrongInput(parsed.error), 'See /openapi.json.');
  const { data } = parsed;
  const order = { by: identity.name, reason: data.reason };
  if (data.action === 'rotate') await keyring.rotateSigning(order);
  else if (data.action === 'epoch') await keyring.rotateKek(order);
  else if (data.action === 'retire') await keyring.retireKek(data.kek, order);
  else await keyring.revoke(data.kid, data.size, order);
  sendJson(res, 200, keyring.current());
}
