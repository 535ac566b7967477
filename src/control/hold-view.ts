/** Holds as people see them: a line of the queue, and one with everything needed to rule. */
import { HoldpointError } from '../core/errors.ts';
import { assigneeOf, type Hold } from '../hold/record.ts';
import { needsOf, releasesOf, rolesNow } from '../hold/state.ts';
import { collectWithinMs } from '../hold/terms.ts';
import { UnreadableEntry } from '../ledger/reader.ts';
import type { Identity } from '../store/token-file.ts';
import { actionsFor, type HeldShown, steadsFor } from './actions.ts';
import type { HoldDetail, HoldSummary } from './api/holds.ts';
import { createDamage, type Damage } from './damage.ts';
import { type Because, becauseOf } from './held-because.ts';
import type { ControlParts } from './parts.ts';
import { mayReadContent } from './permissions.ts';
import { peopleNow } from './ruling.ts';
import { otherHoldsOfWorkload } from './workload-holds.ts';

/** A hold as the queue shows it. */
export async function summaryOf(parts: ControlParts, hold: Hold, identity: Identity): Promise<HoldSummary> {
  const { headline, contentDigest, ...about } = await parts.summaryOf(hold);
  const { terms } = hold.state;
  // Who gave up their role since then had it when what is over was ruled on.
  const people = hold.state.status === 'pending' ? peopleNow(parts) : undefined;
  return {
    id: hold.id,
    decisionId: parts.ledger.decisionId(hold.decision),
    state: hold.state.status,
    phase: hold.phase,
    severity: worstSeverity(hold),
    rules: hold.rules.map(({ id, title, severity }) => ({ id, title, severity })),
    headline: mayReadContent(identity, parts.roles) ? headline : (hold.rules[0]?.title ?? ''),
    ...about,
    digest: terms.digest,
    contentDigest: mayReadContent(identity, parts.roles) ? contentDigest : '',
    openedAt: iso(hold.openedAtMs),
    expiresAt: iso(terms.expiresAtMs),
    approvals: {
      needed: terms.approvals,
      given: releasesOf(hold.state, people).map(({ by }) => by),
      byRole: needsOf(hold.state, people).map(({ approvals, roles, left }) => ({
        needed: approvals,
        roles,
        left,
      })),
    },
    roles: rolesNow(hold.state),
    escalation: (terms.escalation ?? [])
      .slice(hold.state.escalated)
      .map(({ atMs, roles }) => ({ at: iso(atMs), roles })),
    breakGlass: terms.breakGlass?.roles ?? [],
    requester: terms.requester,
    caller: hold.attached ? 'waiting' : 'gone',
    possibleDuplicate: hold.possibleDuplicate,
    assignee: assigneeOf(hold),
    commentCount: hold.comments.length,
    outcome: hold.outcome,
  };
}

/** With everything needed to rule; whoever reads content gets what was said. `damage` has what was met of it before. */
export async function detailOf(
  parts: ControlParts,
  hold: Hold,
  identity: Identity,
  held: HeldShown,
  damage: Damage = createDamage(parts.ledger),
): Promise<HoldDetail> {
  const { terms, escalated } = hold.state;
  const mayRead = mayReadContent(identity, parts.roles);
  const written = async (seq: number, name: string): Promise<string | null> =>
    mayRead ? writtenIn(parts, seq, name, damage) : null;
  const whole = {
    ...(await summaryOf(parts, hold, identity)),
    rules: await rulesOf(parts, hold, identity),
    policy: { version: hold.policyVersion, digest: hold.policyDigest },
    rulings: await Promise.all(
      hold.state.rulings.map(
        async ({ by, role, verdict, atMs, withheld = [], breakGlass = false, inStead = '', reasonAt }) => ({
          ...{ by, role, verdict, at: iso(atMs), withheld, breakGlass, inStead },
          reason: reasonAt === undefined ? (mayRead ? '' : null) : await written(reasonAt, 'reason'),
        }),
      ),
    ),
    notRequester: terms.notRequester,
    escalated: (terms.escalation ?? [])
      .slice(0, escalated)
      .map(({ atMs, roles }) => ({ at: iso(atMs), roles })),
    collectInMs: terms.collectInMs ?? collectWithinMs,
    breakGlassCollectInMs: terms.breakGlass?.collectInMs ?? null,
    collectBy: iso(hold.collectByMs),
    actions: await actionsFor(parts, hold, identity, held),
    inStead: await steadsFor(parts, hold, identity, held),
    comments: await Promise.all(
      hold.comments.map(async ({ seq, by, role, atMs }) => ({
        ...{ by, role, at: iso(atMs) },
        text: await written(seq, 'comment'),
      })),
    ),
    review: await reviewOf(hold, written),
    assignments: hold.assignments.map(({ to, by, atMs }) => ({ to, by, at: iso(atMs) })),
    history: historyOf(parts, hold),
    ...(await workloadHoldsOf(parts, hold, identity)),
    exchange: held.exchange,
  };
  return { ...whole, unreadable: damage.told() };
}

const nothing: Because = new Map();

async function rulesOf(parts: ControlParts, hold: Hold, identity: Identity): Promise<HoldDetail['rules']> {
  const because = mayReadContent(identity, parts.roles) ? await knownBecause(parts, hold) : nothing;
  return hold.rules.map(({ id, title, when, severity, error }) => {
    const found = because.get(id)?.map(({ expression, values }) => ({ expression, values: [...values] }));
    return { id, title, when, severity, error, ...(found === undefined ? {} : { because: found }) };
  });
}

/** A hold is shown, and ruled on, whether or not that can be told. */
async function knownBecause({ ledger, onError }: ControlParts, hold: Hold): Promise<Because> {
  try {
    return await becauseOf(ledger, hold);
  } catch (error) {
    onError('what made a rule match could not be told', error);
    return nothing;
  }
}

async function reviewOf(
  { review }: Hold,
  written: (seq: number, name: string) => Promise<string | null>,
): Promise<HoldDetail['review']> {
  if (review === null) return null;
  const { seq, by, role, verdict, atMs } = review;
  return { by, role, verdict, at: iso(atMs), text: await written(seq, 'finding') };
}

/** What somebody wrote; null once it is erased, and where it cannot be read, which is told. */
async function writtenIn(
  { ledger }: ControlParts,
  seq: number,
  name: string,
  damage: Damage,
): Promise<string | null> {
  try {
    return (await ledger.part(seq, name)).toString('utf8');
  } catch (error) {
    if (error instanceof HoldpointError && error.code === 'erased') return null;
    if (!(error instanceof HoldpointError) || error.code !== 'ledger_damaged') throw error;
    damage.tell(error instanceof UnreadableEntry ? error : new UnreadableEntry(seq, error));
    return null;
  }
}

/** A hold is shown, and ruled on, whether or not the index and the record tell of others. */
async function workloadHoldsOf(
  parts: ControlParts,
  hold: Hold,
  identity: Identity,
): Promise<Pick<HoldDetail, 'workloadHolds' | 'workloadUnreadable'>> {
  const damage = createDamage(parts.ledger);
  try {
    const others = await otherHoldsOfWorkload(parts, hold, damage);
    const mayRead = mayReadContent(identity, parts.roles);
    return { workloadHolds: await shownOthers(parts, others, mayRead), workloadUnreadable: damage.told() };
  } catch (error) {
    parts.onError('what else its workload had held could not be told', error);
    return { workloadHolds: [], workloadUnreadable: damage.told() };
  }
}

async function shownOthers(
  parts: ControlParts,
  others: readonly Hold[],
  mayRead: boolean,
): Promise<HoldDetail['workloadHolds']> {
  return Promise.all(
    others.map(async (other) => ({
      id: other.id,
      state: other.state.status,
      severity: worstSeverity(other),
      openedAt: iso(other.openedAtMs),
      title: other.rules[0]?.title ?? '',
      headline: mayRead ? (await parts.summaryOf(other)).headline : '',
    })),
  );
}

/** How the rule's recent holds ended, as far as the queue still knows them. */
function historyOf(parts: ControlParts, hold: Hold): Record<string, number> {
  const rule = hold.rules[0]?.id;
  const counts: Record<string, number> = {};
  for (const other of parts.holds.list()) {
    if (other.seq === hold.seq || other.rules[0]?.id !== rule) continue;
    counts[other.state.status] = (counts[other.state.status] ?? 0) + 1;
  }
  return counts;
}

const severityOrder = ['low', 'medium', 'high', 'critical'] as const;

function worstSeverity(hold: Hold): HoldSummary['severity'] {
  return (
    hold.rules
      .map(({ severity }) => severity)
      .sort((a, b) => severityOrder.indexOf(b) - severityOrder.indexOf(a))[0] ?? 'medium'
  );
}

/** UTC; '' for no instant. */
export function iso(ms: number): string {
  return Number.isFinite(ms) ? new Date(ms).toISOString() : '';
}
