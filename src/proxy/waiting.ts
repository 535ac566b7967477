/** A caller that waits for a ruling: how long, what keeps its connection alive meanwhile, and how it is refused. */
import { type ErrorCode, HoldpointError } from '../core/errors.ts';
import { valuesOf } from '../core/http-message.ts';
import type { WaitResult } from '../hold/live.ts';
import type { Hold } from '../hold/record.ts';
import type { StreamForm } from '../provider/protocol.ts';
import { fillerOf } from '../provider/reading/stream-form.ts';
import { plainStreamForm } from './answer.ts';
import type { Call } from './call.ts';
import type { Decision } from './held.ts';
import type { House } from './house.ts';
import type { AnswerHead } from './released.ts';
import { breakOff, endWith, refuse, writeHead, writeStreamHead } from './respond.ts';
import { clientBudgetMs, prefersAsync } from './retries.ts';

/** Asks proxies on the way not to collect what must arrive while it is waited for. */
const unbuffered = ['x-accel-buffering', 'no'];

/** Subtracted from the client's own budget, so that it hears from us before it gives up. */
const clientMarginMs = 15_000;
const waitMsMin = 1_000;
/** A streaming caller sees no header this long, so that a quick denial can still be a 403. */
const quietMs = 10_000;
const commentEveryMs = 15_000;
const keepAliveEveryMs = 60_000;

/**
 * Waits for the ruling. True: released or amended, the caller is there and waits for the bytes. False: the
 * caller has its refusal, was told to ask again, or is gone. With the head of a held stream of plain events the
 * connection is kept alive meanwhile.
 */
export async function awaitRelease(
  call: Call,
  decision: Decision,
  hold: Hold,
  head: AnswerHead | null,
  house: House,
): Promise<boolean> {
  // Who has the beginning of an answer already cannot be told to come back for it.
  if (hold.state.status === 'pending' && prefersAsync(call.headers) && !call.res.headersSent) {
    await acceptAsync(call, decision, hold, house);
    return false;
  }
  const left = new AbortController();
  call.caller.whenGone(() => left.abort());
  const form = head === null ? null : plainStreamForm(call, head);
  const stopHeartbeat =
    head !== null && form !== null && hold.state.status === 'pending'
      ? startHeartbeat(call, decision, head, form, house)
      : () => undefined;
  const budgetMs =
    form !== null
      ? Math.max(0, hold.state.terms.expiresAtMs - house.clock.nowMs()) + commentEveryMs
      : waitBudgetMs(call, house);
  const isFirst = (head?.passedBytes ?? 0) === 0;
  const result = await house.holds.wait(hold, budgetMs, left.signal).finally(stopHeartbeat);
  if (result === 'released' || result === 'amended') return !call.caller.gone;
  const [code, message, next] = refusals[result];
  await refuseHeld(call, decision, new HoldpointError(code, message, next), form, isFirst);
  return false;
}

const comeAgain = 'Ask again: a retry collects the answer.';
const refusals: Readonly<
  Record<
    Exclude<WaitResult, 'released' | 'amended'>,
    readonly [code: ErrorCode, message: string, next: string]
  >
> = {
  denied: ['denied_by_reviewer', 'A reviewer denied this call.', ''],
  expired: ['hold_expired', 'Nobody ruled on this call in time.', ''],
  shutdown: ['held', 'Holdpoint restarts; the call stays held.', comeAgain],
  pending: ['held', 'The call is held for a reviewer.', comeAgain],
};

/** `Prefer: respond-async` (RFC 7240): the caller does not wait; the same call again collects the answer. */
async function acceptAsync(call: Call, decision: Decision, hold: Hold, house: House): Promise<void> {
  if (call.caller.gone) return;
  const where = house.holdUrl(hold.id);
  const body = JSON.stringify({ id: hold.id, decision: decision.id, state: 'pending', hold: where });
  const headers = ['content-type', 'application/json', 'content-length', String(Buffer.byteLength(body))];
  headers.push('location', where, 'preference-applied', 'respond-async', 'retry-after', '1');
  writeHead(call.res, 202, '', headers, decision.id);
  await endWith(call.res, body);
}

function waitBudgetMs(call: Call, house: House): number {
  const own = clientBudgetMs(call.headers);
  const { waitMsMax } = house.bounds;
  return own === null ? waitMsMax : Math.max(waitMsMin, Math.min(own - clientMarginMs, waitMsMax));
}

/**
 * A refusal as status where the caller saw nothing yet, in-band where its stream has begun. `isFirst`: it has no
 * byte of the body.
 */
export async function refuseHeld(
  call: Call,
  decision: Decision,
  error: HoldpointError,
  form: StreamForm | null,
  isFirst: boolean,
): Promise<void> {
  if (call.caller.gone) return;
  if (!call.res.headersSent) await refuse(call.res, call, error, decision.id);
  else if (form === null) breakOff(call.res);
  else {
    const { protocol } = call.upstream;
    const event = protocol.errorEvent(call.operation, form, error.code, error.message, isFirst);
    await endWith(call.res, event);
  }
}

function startHeartbeat(
  call: Call,
  decision: Decision,
  head: AnswerHead,
  form: StreamForm,
  house: House,
): () => void {
  const { protocol } = call.upstream;
  const filler = protocol.filler === undefined ? fillerOf(form) : protocol.filler(call.operation, form);
  let sinceEventMs = 0;
  let cancel = house.schedule(quietMs, beat);
  function beat(): void {
    if (!call.res.headersSent)
      writeStreamHead(
        call.res,
        head.status,
        head.statusText,
        [...(valuesOf(head.headers, 'x-accel-buffering').length > 0 ? [] : unbuffered), ...head.headers],
        decision.id,
      );
    const event =
      filler === null || sinceEventMs >= keepAliveEveryMs
        ? protocol.keepAliveEvent(call.operation, form, call.facts.model)
        : null;
    sinceEventMs = event === null ? sinceEventMs + commentEveryMs : 0;
    const bytes = event ?? filler;
    if (bytes !== null && !call.res.destroyed) call.res.write(bytes);
    cancel = house.schedule(commentEveryMs, beat);
  }
  return () => cancel();
}
