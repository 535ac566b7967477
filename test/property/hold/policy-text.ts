/** The policies as they stand in a file, and which of them a digest is of. */
import { sha256Hex } from '../../../src/core/bytes.ts';
import type { Entry } from '../../../src/ledger/entry.ts';
import {
  type Demand,
  type LoadedName,
  type Phase,
  type PolicyName,
  policyNames,
  type Said,
  sayings,
} from './policies.ts';

const brokenText = 'version: broken\nrules: [{ id: half\n';

/** Another one for each, in its length, too. */
export function textOf(name: PolicyName): string {
  if (name === 'broken') return brokenText;
  return `version: ${name}\nrules:\n${sayings(name).map(ruleText).join('')}`;
}

function ruleText([phase, mark, said]: readonly [Phase, number, Said]): string {
  const id = `${phase === 'request' ? 'question' : 'answer'}-${mark}`;
  const part = `-${id}${phase === 'request' ? '-' : '.'}`;
  const { action } = said;
  const hold = action === 'hold' ? `\n  hold: { ${demandText(said)} }` : '';
  return `- id: ${id}
  title: ${action}
  phase: ${phase}
  when: request.model.contains("${part}")
  action: ${action}${hold}
  tests:
  - { name: y, expect: match, request: { model: c${part} } }
  - { name: n, expect: no-match, request: { model: c } }
`;
}

function demandText({ approvals, role, expiresInMs, escalatesInMs, collectInMs, hasGlass }: Demand): string {
  const seconds = (ms: number): string => `${ms / 1_000}s`;
  return [
    `expiresIn: ${seconds(expiresInMs)}`,
    typeof approvals === 'number'
      ? `approvals: ${approvals}, roles: [${role}]`
      : `approvals: { reviewer: ${approvals.reviewer}, chief: ${approvals.chief} }`,
    ...(escalatesInMs === null ? [] : [`escalate: [{ after: ${seconds(escalatesInMs)}, roles: [chief] }]`]),
    ...(collectInMs === null ? [] : [`collectIn: ${seconds(collectInMs)}`]),
    ...(hasGlass ? ['breakGlass: { roles: [admin], collectIn: 5m }'] : []),
  ].join(', ');
}

const names = new Map<unknown, LoadedName>(policyNames.map((name) => [sha256Hex(textOf(name)), name]));

/** The policy that has this digest; `broken` where none has. */
export function nameOf(digest: unknown): PolicyName {
  return names.get(digest) ?? 'broken';
}

/** The policy that an entry says it was judged by. */
export function policyOf({ data }: Pick<Entry, 'data'>): PolicyName {
  return nameOf(data['policy']);
}
