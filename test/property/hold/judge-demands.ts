/** For whom and until when something is held: as the policy says under which it was, in the record and in memory. */
import { expect } from 'vitest';
import type { Hold } from '../../../src/hold/record.ts';
import type { HoldTermsFixed } from '../../../src/hold/terms.ts';
import { type Demand, type Phase, ruleOf, saidOf } from './policies.ts';
import { nameOf, policyOf } from './policy-text.ts';
import type { Kind } from './rules.ts';
import type { Scene } from './scene.ts';
import type { DecisionStory, HoldStory } from './story.ts';

/** What the record says is demanded. */
export function judgeDemand({ kinds }: Scene, { call }: DecisionStory, { entry }: HoldStory): Demand {
  const kind = kinds[call];
  if (kind === undefined) throw new Error(`nobody made the call ${call}`);
  const { data } = entry;
  const phase: Phase = data['phase'] === 'request' ? 'request' : 'response';
  const policy = policyOf(entry);
  const demand = demandOf(policy, phase, kind);
  expect(data['policyVersion']).toBe(policy);
  expect(data['rules']).toMatchObject([{ id: ruleOf(phase, kind) }]);
  const { approvals, roles, needs, expires, collect, escalation, breakGlass } = data;
  const openedAtMs = Date.parse(entry.at);
  expect({ approvals, roles, needs, expires, collect, escalation, breakGlass }).toEqual({
    ...peopleAsked(demand),
    expires: openedAtMs + demand.expiresInMs,
    collect: demand.collectInMs ?? undefined,
    escalation: stepsOf(demand, openedAtMs)?.map(({ atMs, roles: further }) => ({
      at: atMs,
      roles: further,
    })),
    breakGlass: demand.hasGlass ? { roles: ['admin'], collect: glassInMs } : undefined,
  });
  return demand;
}

/** Terms never change: those that were found right stay so. */
const right = new WeakSet<HoldTermsFixed>();

/** What memory says, however often it was read back since and whatever is in force by now. */
export function expectDemanded(hold: Hold, kind: Kind): void {
  if (right.has(hold.state.terms)) return;
  const demand = demandOf(nameOf(hold.policyDigest), hold.phase, kind);
  const { digest: _, requester: __, notRequester: ___, ...terms } = hold.state.terms;
  const { needs, ...asked } = peopleAsked(demand);
  const escalation = stepsOf(demand, hold.openedAtMs);
  const expected: Omit<HoldTermsFixed, 'digest' | 'requester' | 'notRequester'> = {
    ...asked,
    expiresAtMs: hold.openedAtMs + demand.expiresInMs,
    ...(needs === undefined ? {} : { needs }),
    ...(demand.collectInMs === null ? {} : { collectInMs: demand.collectInMs }),
    ...(escalation === undefined ? {} : { escalation }),
    ...(demand.hasGlass ? { breakGlass: { roles: ['admin'], collectInMs: glassInMs } } : {}),
  };
  expect(terms).toEqual(expected);
  right.add(hold.state.terms);
}

const glassInMs = 300_000;

function demandOf(...of: Parameters<typeof saidOf>): Demand {
  const said = saidOf(...of);
  if (said?.action !== 'hold') throw new Error(`the policy ${of[0]} holds no ${of[1]} of that kind`);
  return said;
}

function peopleAsked({ approvals, role }: Demand): Pick<HoldTermsFixed, 'approvals' | 'roles' | 'needs'> {
  if (typeof approvals === 'number') return { approvals, roles: [role] };
  const { reviewer, chief } = approvals;
  return {
    ...{ approvals: reviewer + chief, roles: ['reviewer', 'chief'] },
    needs: [
      { approvals: reviewer, roles: ['reviewer'] },
      { approvals: chief, roles: ['chief'] },
    ],
  };
}

function stepsOf({ escalatesInMs }: Demand, openedAtMs: number): HoldTermsFixed['escalation'] {
  return escalatesInMs === null ? undefined : [{ atMs: openedAtMs + escalatesInMs, roles: ['chief'] }];
}
