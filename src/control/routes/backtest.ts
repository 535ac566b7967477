/** A draft policy replayed over what was recorded. What it reads of content is sealed, and none of it is answered. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { HoldpointError } from '../../core/errors.ts';
import type { JsonObject } from '../../ledger/canonical.ts';
import { openDraft } from '../../policy/backtest.ts';
import { draftName } from '../../policy/draft-name.ts';
import { type Page, replayPage } from '../../replay/backtest.ts';
import type { Noted } from '../../replay/tally.ts';
import { createTurns } from '../../replay/turns.ts';
import { type BacktestPage, backtestOrderSchema, backtestPolicy } from '../api/backtest.ts';
import { createDamage } from '../damage.ts';
import { type ControlRequest, type Route, readOrder, sendJson } from '../http.ts';
import type { ControlParts } from '../parts.ts';

export function backtestRoutes(parts: ControlParts): Route[] {
  let isRunning = false;
  return [
    {
      method: 'POST',
      path: '/api/v1/policy/backtest',
      operation: backtestPolicy,
      handle: async (request) => {
        const order = await readOrder(request, backtestOrderSchema);
        if (isRunning)
          throw new HoldpointError('overloaded', 'Another backtest runs.', 'Ask again in a few seconds.');
        isRunning = true;
        try {
          await backtest(parts, request, order);
        } finally {
          isRunning = false;
        }
      },
    },
  ];
}

type Order = z.output<typeof backtestOrderSchema>;

async function backtest(parts: ControlParts, request: ControlRequest, order: Order): Promise<void> {
  const { ledger, clock, callsInFlight } = parts;
  const { res, identity, req } = request;
  const rest = (ms: number): Promise<void> => sleep(ms);
  const turns = createTurns({ clock, callsInFlight, rest });
  const draft = await openDraft(draftName, order.policy, parts.roles.rulers, async () => {
    if (res.closed) throw new HoldpointError('bad_request', 'Nobody waits for the backtest any more.');
    await turns.pause();
  });
  const below = order.before ?? Number.MAX_SAFE_INTEGER;
  const untilMs = order.until === undefined ? Number.POSITIVE_INFINITY : Date.parse(order.until);
  const before = order.until === undefined ? below : await ledger.countBefore(untilMs, below);
  const damage = createDamage(ledger);
  const page = await replayPage(
    {
      draft,
      before,
      sinceMs: order.since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(order.since),
      untilMs,
      decisionsMax: order.limit,
      isAbandoned: () => res.closed,
      damage,
    },
    { ledger, clock, callsInFlight, rest },
  );
  const { newest, oldest, tally } = page;
  if (newest !== null && oldest !== null) {
    const data: JsonObject = {
      action: 'backtest',
      by: identity.name,
      decisions: tally.decisions(),
      draft: draft.digest,
      from: req.socket.remoteAddress ?? '',
      newest,
      oldest,
      role: identity.role,
    };
    const texts = { reason: order.reason, source: order.policy };
    const named = Object.entries(texts).map(([name, text]) => ({ name, bytes: Buffer.from(text) }));
    await ledger.seal({ type: 'access', data, refs: [oldest], parts: named }).durable;
  }
  await request.stillMay();
  const { version, digest, rules } = draft;
  const drafted = { version, digest, rules: rules.length };
  const shown = { draft: drafted, ...describe(parts, page), unreadable: damage.told() };
  sendJson(res, 200, shown satisfies BacktestPage);
}

function describe(
  { ledger }: ControlParts,
  { tally, next }: Page,
): Omit<BacktestPage, 'draft' | 'unreadable'> {
  const shown = ({ decisions, examples }: Noted) => ({
    decisions,
    examples: examples.map((seq) => ledger.decisionId(seq)),
  });
  return {
    decisions: tally.decisions(),
    replayed: tally.replayed(),
    rules: tally.rules().map(({ rule, phase, draft, now, before, newly, noLonger, failed, unknown }) => ({
      rule,
      phase,
      title: draft?.title ?? '',
      action: draft?.action ?? null,
      now,
      before,
      newly: shown(newly),
      noLonger: shown(noLonger),
      failed: shown(failed),
      unknown: shown(unknown),
    })),
    verdicts: tally.verdicts(),
    notReplayed: tally
      .obstacles()
      .map(({ obstacle: reason, phase, ...noted }) => ({ reason, phase, ...shown(noted) })),
    next,
  };
}
