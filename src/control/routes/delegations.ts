/** Who rules in whose stead. */
import { z } from 'zod';
import type { Delegation } from '../../ledger/oversight.ts';
import {
  beginDelegation,
  type DelegationShown,
  endDelegation,
  listDelegations,
  newDelegationSchema,
} from '../api/delegations.ts';
import { iso } from '../hold-view.ts';
import { type ControlRequest, type Route, readOrder, sendJson } from '../http.ts';
import type { ControlParts } from '../parts.ts';
import { requirePerson } from './deliberation.ts';

export function delegationRoutes(parts: ControlParts): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/delegations',
      operation: listDelegations,
      handle: ({ res }) =>
        sendJson(res, 200, { items: parts.delegations.all().map((one) => shown(parts, one)) }),
    },
    {
      method: 'POST',
      path: '/api/v1/delegations',
      operation: beginDelegation,
      handle: (request) => begin(parts, request),
    },
    {
      method: 'POST',
      path: '/api/v1/delegations/{seq}/end',
      operation: endDelegation,
      handle: (request) => end(parts, request),
    },
  ];
}

async function begin(parts: ControlParts, { req, res, identity }: ControlRequest): Promise<void> {
  const { to, until } = await readOrder(req, newDelegationSchema);
  requirePerson(parts, to, 'rule');
  const { name: by, role } = identity;
  sendJson(res, 201, shown(parts, await parts.delegations.begin({ by, role }, to, Date.parse(until))));
}

async function end(parts: ControlParts, { req, res, params, identity }: ControlRequest): Promise<void> {
  await readOrder(req, z.strictObject({}));
  const given = params['seq'] ?? '';
  const seq = /^\d{1,15}$/.test(given) ? Number(given) : -1;
  const { name: by, role } = identity;
  sendJson(res, 200, shown(parts, await parts.delegations.end({ by, role }, seq)));
}

function shown({ delegations }: ControlParts, delegation: Delegation): DelegationShown {
  const { seq, from, role, to, untilMs } = delegation;
  return { seq, from, role, to, until: iso(untilMs), inForce: delegations.isInForce(delegation) };
}
