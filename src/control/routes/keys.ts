/** Changes of the ledger's keys, by an admin, on the record. */
import { changeKeys, keyChangeSchema } from '../api/keys.ts';
import { type ControlRequest, type Route, readOrder, sendJson } from '../http.ts';
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
  const { res, identity, requireStanding } = request;
  const wanted = await readOrder(request, keyChangeSchema);
  const order = { by: identity.name, reason: wanted.reason, requireStanding };
  if (wanted.action === 'rotate') await keyring.rotateSigning(order);
  else if (wanted.action === 'epoch') await keyring.rotateKek(order);
  else if (wanted.action === 'retire') await keyring.retireKek(wanted.kek, order);
  else await keyring.revoke(wanted.kid, wanted.size, order);
  sendJson(res, 200, keyring.current());
}
