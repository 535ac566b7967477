/**
 * A call that waits for a person: opening the hold, waiting without giving anything away, coming back to it
 * with a retry, and handing over the released bytes. What is delivered is read back from the ledger, so that
 * a release after a restart and a release to a waiting caller take the same way.
 */
import { HoldpointError } from '../core/errors.ts';
import {
  decodeHttpMessage,
  endToEndHeaders,
  type HttpMessage,
  headerOf,
  type RawHeaders,
  removedValue,
  valuesOf,
  withoutSecrets,
} from '../core/http-message.ts';
import type { Spool } from '../core/spool.ts';
import type { Hold } from '../hold/record.ts';
import { heldRules } from '../hold/record.ts';
import type { Judgement, Phase, Policy } from '../policy/policy.ts';
import type { StreamForm } from '../provider/protocol.ts';
import { fillerOf } from '../provider/stream-form.ts';
import { plainStreamForm } from './answer.ts';
import { bodyOf } from './body.ts';
import { type Call, clientBudgetMs, isMarkedRetry, prefersAsync, retryKeyOf, retryProofOf } from './call.ts';
import type { House } from './house.ts';
import { strictestTerms } from './judge.ts';
import type { ArrivedAnswer } from './kept-answers.ts';
import { wholeBodyValue } from './record.ts';
import { endWith, endWithPieces, refuse, writeHead, writeStreamHead } from './respond.ts';

export interface Decision {
  readonly seq: number;
  readonly id: string;
}

/** How a held answer begins. */
export interface AnswerHead {
  readonly status: number;
  readonly statusText: string;
  readonly headers: RawHeaders;
  /** How much of its body this caller has. */
  readonly passedBytes: number;
}

/** Asks proxies on the way not to collect what must arrive while it is waited for. */
const unbuffered = ['x-accel-buffering', 'no'];

/** Subtracted from the client's own budget, so that it hears from us before it gives up. */
const clientMarginMs = 15_000;
const waitMsMin = 1_000;
/** A streaming caller sees no header this long, so that a quick denial can still be a 403. */
const quietMs = 10_000;
const commentEveryMs = 15_000;
const keepAliveEveryMs = 60_000;

/** The hold an identical earlier call left behind, its caller gone; null when this is a new exchange. */
export function findEarlierHold(call: Call, house: House): Hold | null {
  // What cannot be read the same way by everybody is nobody's repetition.
  if (call.defects.length > 0 || !house.holds.mayHaveRetries()) return null;
  // Nothing would tell it from a neighbour that has read the key's name.
  if (retryProofOf(call.headers) === null) return null;
  const hold = house.holds.findForRetry(retryKeyOf(call, house.fingerprintKey), isMarkedRetry(call.headers));
  return hold !== null && house.holds.attach(hold) ? hold : null;
}

/** Seals the hold: from here on it survives the caller, the process and the machine's power. */
export function openHold(
  call: Call,
  decision: Decision,
  held: {
    phase: Phase;
    digest: string;
    response: number | null;
    passedBytes: number;
    judgement: Judgement;
    policy: Policy;
  },
  house: House,
): Promise<Hold> {
  const terms = strictestTerms(held.judgement);
  const openedAtMs = house.clock.nowMs();
  return house.holds.open(
    {
      decision: decision.seq,
      phase: held.phase,
      rules: heldRules(held.judgement.matches),
      policyDigest: held.policy.digest,
      policyVersion: held.policy.version,
      openedAtMs,
      retryKey: retryKeyOf(call, house.fingerprintKey),
      response: held.response,
      passedBytes: held.passedBytes,
    },
    {
      approvals: terms.approvals,
      roles: terms.roles,
      notRequester: terms.notRequester,
      requester: call.facts.workload || call.credential,
      digest: held.digest,
      expiresAtMs: openedAtMs + terms.expiresInMs,
    },
  );
}

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
  if (hold.state.status === 'pending' && prefersAsync(call.headers)) {
    await acceptAsync(call, decision, hold);
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
  switch (result) {
    case 'released':
    case 'amended':
      return !call.caller.gone;
    case 'denied':
      await refuseHeld(
        call,
        decision,
        new HoldpointError('denied_by_reviewer', 'A reviewer denied this call.'),
        form,
        isFirst,
      );
      return false;
    case 'expired':
      await refuseHeld(
        call,
        decision,
        new HoldpointError('hold_expired', 'Nobody ruled on this call in time.'),
        form,
        isFirst,
      );
      return false;
    case 'shutdown':
      await refuseHeld(
        call,
        decision,
        new HoldpointError(
          'held',
          'Holdpoint restarts; the call stays held.',
          'Ask again: a retry collects the answer.',
        ),
        form,
        isFirst,
      );
      return false;
    case 'pending':
      await refuseHeld(
        call,
        decision,
        new HoldpointError(
          'held',
          'The call is held for a reviewer.',
          'Ask again: a retry collects the answer.',
        ),
        form,
        isFirst,
      );
      return false;
  }
}

/** `Prefer: respond-async` (RFC 7240): the caller does not wait; the same call again collects the answer. */
async function acceptAsync(call: Call, decision: Decision, hold: Hold): Promise<void> {
  if (call.caller.gone || call.res.headersSent) return;
  const where = `/api/v1/holds/${hold.id}`;
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
  else if (form === null) call.res.destroy();
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

/**
 * The call that a release lets go: the body that was ruled on or its amendment, whichever spelling of it the
 * caller that came back has sent. Sealed as used before it is returned.
 */
export async function releasedCall(call: Call, hold: Hold, house: House): Promise<Call> {
  try {
    await house.holds.beginDelivery(hold);
  } catch (error) {
    // Nothing was sent: a retry may take this caller's place.
    house.holds.detach(hold);
    throw error;
  }
  const amendment = hold.state.status === 'amended' ? hold.ruling : null;
  const sealed = await (amendment === null
    ? house.ledger.part(hold.decision, 'request')
    : house.ledger.part(amendment, 'amendment'));
  const { body, headers } = decodeHttpMessage(sealed);
  if (amendment === null && isSameBody(call, body, headers)) return call;
  // The coding belongs to the body; an amended one is written out plainly, whatever the original had.
  const sent = endToEndHeaders(call.headers, (name) => name === 'content-encoding');
  if (amendment === null)
    for (const coding of valuesOf(headers, 'content-encoding')) sent.push('content-encoding', coding);
  if (amendment === null) return { ...call, body: bodyOf(body), headers: sent };
  // Response rules judge the answer to what was sent, so they must see the amended request.
  const { facts } = call.upstream.protocol.readRequest(call.operation, body, {
    path: call.facts.path,
    contentType: headerOf(call.headers, 'content-type'),
  });
  return { ...call, body: bodyOf(body), headers: sent, facts: { ...call.facts, ...facts } };
}

/** Of a body that is not stored whole, or not as it was, the caller that came back has brought all of it again. */
function isSameBody(
  { body: { bytes, spool }, stored: own }: Call,
  stored: Buffer,
  headers: RawHeaders,
): boolean {
  const isSame =
    spool === null ? own.body.equals(stored) : headers.at(-1) === wholeBodyValue(bytes, spool.sha256);
  if (isSame || (spool === null && own.removed === 0)) return isSame;
  throw new HoldpointError(
    'internal',
    'The caller came back with another body than the one that was ruled on.',
  );
}

/**
 * Hands over the released answer; of `arrived`, the answer as it came, where this caller waited for it, what it has
 * not. The use of the release is sealed before the first byte. True when the caller got all of it. Throws
 * `hold_expired` for an answer that is not stored as it came and that nobody waited for.
 */
export async function deliverHeld(
  call: Call,
  decision: Decision,
  hold: Hold,
  arrived: ArrivedAnswer | null,
  house: House,
): Promise<boolean> {
  const passedBytes = arrived?.passedBytes ?? 0;
  const { message, spool } = await releasedMessage(hold, arrived ?? house.keptAnswers.of(hold), house);
  const rest = message.body.subarray(
    hold.state.status === 'amended' ? tailOffset(call, message, passedBytes) : passedBytes,
  );
  await house.holds.beginDelivery(hold);
  // The delivery is on disk: the held bytes may go out, once.
  if (!call.res.headersSent) {
    const { status, statusText, headers } = headOf(message);
    writeHead(call.res, status, statusText, headers, decision.id);
  }
  return spool === null ? endWith(call.res, rest) : endWithPieces(call.res, spool.read());
}

async function releasedMessage(
  hold: Hold,
  arrived: ArrivedAnswer | null,
  house: House,
): Promise<{ readonly message: HttpMessage; readonly spool: Spool | null }> {
  const amended = hold.state.status === 'amended';
  const seq = amended ? hold.ruling : hold.response;
  const name = amended ? 'amendment' : 'response';
  if (seq === null) throw new HoldpointError('ledger_damaged', `The hold ${hold.id} has no sealed answer.`);
  const entry = await house.ledger.entry(seq);
  if (entry.parts.find((part) => part.name === name)?.c !== hold.releaseDigest) {
    throw new HoldpointError(
      'ledger_damaged',
      `The sealed answer of ${hold.id} is not the one that was released.`,
    );
  }
  const message = decodeHttpMessage(await house.ledger.part(seq, name));
  const isPart = entry.data['stored'] !== undefined;
  if (entry.data['removed'] === undefined && !isPart) return { message, spool: null };
  if (arrived !== null && isAnswer(arrived, message, isPart)) {
    const { headers, body, spool } = arrived;
    return { message: { ...message, headers: withoutSecrets(headers), body }, spool };
  }
  const why = isPart ? 'is too large to be stored' : 'carries a credential, which is never stored';
  throw new HoldpointError(
    'hold_expired',
    `The released answer ${why}, and the call that it came for is gone.`,
    'Ask anew.',
  );
}

/** Whether it is the answer that was ruled on, by what is stored of it and, where that is a part, the hash of all. */
function isAnswer(arrived: ArrivedAnswer, { body, headers }: HttpMessage, isPart: boolean): boolean {
  const { stored, spool, bytes } = arrived;
  if (spool === null) return !isPart && stored.body.equals(body);
  return isPart && headers.at(-1) === wholeBodyValue(bytes, spool.sha256);
}

/** Where an amended stream goes on for a caller that has the original's text already: its first tool call or end. */
function tailOffset(call: Call, amended: HttpMessage, passedBytes: number): number {
  const form = plainStreamForm(call, headOf(amended));
  if (passedBytes === 0 || form === null) return 0;
  const stream = call.upstream.protocol.openStream(call.operation, 200, form);
  let offset = 0;
  for (const event of stream.push(amended.body)) {
    if (event.kind === 'tool' || event.kind === 'end') return offset;
    offset += event.raw.length;
  }
  return offset;
}

/** How the stored answer begins, without what is never stored; null while there is none. */
export async function heldHead(hold: Hold, house: House): Promise<AnswerHead | null> {
  if (hold.response === null) return null;
  return headOf(decodeHttpMessage(await house.ledger.part(hold.response, 'response')));
}

function headOf({ startLine, headers }: HttpMessage): AnswerHead {
  const [, status = '502', ...reason] = startLine.split(' ');
  const kept = headers.filter((_, i) => headers[i - (i % 2) + 1] !== removedValue);
  return { status: Number(status), statusText: reason.join(' '), headers: kept, passedBytes: 0 };
}
