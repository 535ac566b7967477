/** Who rules in whose stead. */
import { z } from 'zod';
import { HoldpointError } from '../../core/errors.ts';
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
import { personIn, requirePerson } from './deliberation.ts';

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

async function begin(parts: ControlParts, request: ControlRequest): Promise<void> {
  const { res, identity } = request;
  const { to, until } = await readOrder(request, newDelegationSchema);
  const { name: by, role } = identity;
  // What is lent must be seen to stand still, and only the tokens say that at any moment.
  if (parts.roleOf(by) !== role)
    throw new HoldpointError(
      'invalid_argument',
      'A role is lent by somebody who has a control token of it.',
      'Ask an admin for a token, or for somebody else who may rule.',
    );
  requirePerson(parts, to, 'rule');
  const person = { ...personIn(request), alsoCalled: parts.otherNames(by) };
  sendJson(res, 201, shown(parts, await parts.delegations.begin(person, to, Date.parse(until))));
}

async function end(parts: ControlParts, request: ControlRequest): Promise<void> {
  const { res, params } = request;
  await readOrder(request, z.strictObject({}));
  const given = params['seq'] ?? '';
  const seq = /^\d{1,15}$/.test(given) ? Number(given) : -1;
  sendJson(res, 200, shown(parts, await parts.delegations.end(personIn(request), seq)));
}

function shown({ delegations }: ControlParts, delegation: Delegation): DelegationShown {
  const { seq, from, role, to, untilMs } = delegation;
  return { seq, from, role, to, until: iso(untilMs), inForce: delegations.isInForce(delegation) };
}
