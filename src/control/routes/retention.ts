/** What is erased by its age. */
import type { Match } from '../../ledger/erasure.ts';
import { lookAtRetention, type RetentionShown, showRetention } from '../api/retention.ts';
import { type Route, sendJson } from '../http.ts';
import type { ControlParts } from '../parts.ts';
import { shownErasure } from './shown-erasure.ts';

export function retentionRoutes({ erasures: { retention } }: ControlParts): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/retention',
      operation: showRetention,
      handle: ({ res }) => sendJson(res, 200, shown(retention.state())),
    },
    {
      method: 'POST',
      path: '/api/v1/retention/{rule}/dry-run',
      operation: lookAtRetention,
      handle: ({ res, params, identity }) =>
        sendJson(res, 202, shownErasure(retention.look(params['rule'] ?? '', identity.name))),
    },
  ];
}

type State = ReturnType<ControlParts['erasures']['retention']['state']>;

function shown({ everyHours, nextAtMs, rules, exemptions }: State): RetentionShown {
  return {
    everyHours,
    nextAt: nextAtMs === null ? null : new Date(nextAtMs).toISOString(),
    rules: rules.map(({ rule, dueBefore, last }) => ({
      id: rule.id,
      match: fieldsOf(rule.match),
      keepDays: rule.keepDays ?? null,
      minimumDays: rule.minimumDays ?? null,
      dueBefore,
      last: last === null ? null : shownErasure(last),
    })),
    exemptions: exemptions.map(({ id, match, bases }) => ({
      id,
      match: fieldsOf(match),
      bases: bases ?? null,
    })),
  };
}

function fieldsOf(match: Match): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(match).flatMap(([field, value]) => (value === undefined ? [] : [[field, value]])),
  );
}
