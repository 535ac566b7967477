/** Comments between reviewers, who of them is on a hold, and who looks at it. */
import { HoldpointError } from '../../core/errors.ts';
import type { Permission } from '../../core/roles.ts';
import type { Person } from '../../hold/deliberation.ts';
import {
  assignHold,
  assignmentSchema,
  commentOnHold,
  commentSchema,
  type LookersShown,
  lookAtHold,
  lookSchema,
} from '../api/deliberation.ts';
import { summaryOf } from '../hold-view.ts';
import { type ControlRequest, type Route, readOrder, sendJson } from '../http.ts';
import { holdOf } from '../named.ts';
import type { ControlParts } from '../parts.ts';

export function deliberationRoutes(parts: ControlParts): Route[] {
  return [
    {
      method: 'POST',
      path: '/api/v1/holds/{id}/comments',
      operation: commentOnHold,
      handle: (request) => comment(parts, request),
    },
    {
      method: 'POST',
      path: '/api/v1/holds/{id}/assignment',
      operation: assignHold,
      handle: (request) => assign(parts, request),
    },
    {
      method: 'POST',
      path: '/api/v1/holds/{id}/looking',
      operation: lookAtHold,
      handle: (request) => look(parts, request),
    },
  ];
}

async function comment(parts: ControlParts, request: ControlRequest): Promise<void> {
  const { res, params, identity } = request;
  const hold = await holdOf(parts, params['id']);
  const { text } = await readOrder(request, commentSchema);
  await parts.holds.comment(hold, personIn(request), text);
  sendJson(res, 201, await summaryOf(parts, hold, identity));
}

async function assign(parts: ControlParts, request: ControlRequest): Promise<void> {
  const { res, params, identity } = request;
  const hold = await holdOf(parts, params['id']);
  const { to } = await readOrder(request, assignmentSchema);
  // Whoever asks reads content; of others the tokens alone say what they may.
  if (to !== '' && to !== identity.name) requirePerson(parts, to, 'read_content');
  await parts.holds.assign(hold, personIn(request), to);
  sendJson(res, 201, await summaryOf(parts, hold, identity));
}

async function look(parts: ControlParts, request: ControlRequest): Promise<void> {
  const { res, params, identity } = request;
  const hold = await holdOf(parts, params['id']);
  const { here } = await readOrder(request, lookSchema);
  const { looking } = parts.holds;
  looking.tell(hold, identity.name, here);
  const own = new Set([identity.name, ...parts.otherNames(identity.name)]);
  const others = looking.at(hold.id).filter((name) => !own.has(name));
  const answer: LookersShown = { others };
  sendJson(res, 200, answer);
}

/** Who asks, as long as they may. */
export function personIn({ identity: { name: by, role }, requireStanding }: ControlRequest): Person {
  return { by, role, requireStanding };
}

/** Throws `invalid_argument` where nobody of that name has a token of a role with this permission. */
export function requirePerson(
  parts: Pick<ControlParts, 'roleOf' | 'roles'>,
  name: string,
  permission: Permission,
): void {
  const role = parts.roleOf(name);
  if (role !== null && parts.roles.permissionsOf(role).includes(permission)) return;
  throw new HoldpointError(
    'invalid_argument',
    `${name} has no token of a role that can do this.`,
    'Name somebody as their token does.',
  );
}
