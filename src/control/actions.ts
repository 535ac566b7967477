/**
 * What the one who asks may do with a hold, and why not: by the same functions that rule, run without effect, so that
 * what is said here and what is refused later cannot differ. A ruling is judged again when it comes.
 */
import { type ErrorCode, HoldpointError } from '../core/errors.ts';
import type { Hold } from '../hold/record.ts';
import { afterRuling, type RulingRequest } from '../hold/state.ts';
import { requireReleasable } from '../replay/held-judgement.ts';
import type { Identity } from '../store/token-file.ts';
import { type AmendmentInput, amendedMessage, amendmentSchema, whyTextIsFixed } from './amend.ts';
import { denialOf } from './amended-judgement.ts';
import type { HoldDetail } from './api/holds.ts';
import type { Exchange } from './exchange.ts';
import type { ControlParts } from './parts.ts';
import { peopleNow, requireRuler } from './ruling.ts';

export type Actions = HoldDetail['actions'];

/** What is shown of the exchange to the one who asks. */
export interface HeldShown {
  /** Null for those who do not read content, who learn nothing of it by their actions either, and where it cannot be read. */
  readonly exchange: Exchange | null;
  /** Why nobody can read it; '' where somebody can. */
  readonly unread: string;
}

/** Larger bodies are not written anew on a trial: the ruling itself says what is wrong. */
const trialCharactersMax = 1024 * 1024;
/** What a ruling is refused with, for whoever gives it. Anything else is a failure of ours. */
const refusals: readonly ErrorCode[] = [
  'forbidden',
  'invalid_argument',
  'already_ruled',
  'ruling_expired',
  'policy_changed',
  'not_amendable',
  'not_divisible',
  'ledger_damaged',
];

/** Each that somebody has asks as much as one's own actions do. */
const steadsMax = 8;

/** In whose stead this person may do something here, in the role that was lent, and what. */
export async function steadsFor(
  parts: ControlParts,
  hold: Hold,
  identity: Identity,
  held: HeldShown,
): Promise<HoldDetail['inStead']> {
  const { delegations, roles } = parts;
  // Also of what is lent: whoever rules has a role that does.
  if (!roles.permissionsOf(identity.role).includes('rule')) return [];
  const lent = delegations.all().filter((one) => one.to === identity.name && delegations.isInForce(one));
  const steads: HoldDetail['inStead'][number][] = [];
  for (const { from: name, role } of lent.slice(0, steadsMax)) {
    const actions = await actionsFor(parts, hold, { ...identity, role, inStead: name }, held);
    if (actions.release === '' || actions.deny === '') steads.push({ name, role, actions });
  }
  return steads;
}

/** For each action why it is not open to this person, '' where it is. */
export async function actionsFor(
  parts: ControlParts,
  hold: Hold,
  identity: Identity & { readonly inStead?: string },
  held: HeldShown,
): Promise<Actions> {
  const ruling = (change: Pick<RulingRequest, 'verdict' | 'breakGlass'>): Promise<string> =>
    whyNot(() => {
      const { name: by, role, inStead } = identity;
      const { digest } = hold.state.terms;
      const request = { ...change, by, role, digest, reason: 'on trial', people: peopleNow(parts) };
      afterRuling(hold.state, inStead === undefined ? request : { ...request, inStead }, parts.clock.nowMs());
      requireRuler(parts.roles, { role });
    });
  const amendFor = await ruling({ verdict: 'amend' });
  const amend = amendFor || (await whyNotAmended(parts, hold, held));
  const released = held.unread || (await whyNotReleased(parts, hold, held));
  return {
    release: (await ruling({ verdict: 'release' })) || released,
    deny: await ruling({ verdict: 'deny' }),
    amend,
    amendText: amend || whyTextIsFixed(hold),
    releaseCalls: amendFor || (await whyNotDivided(parts, hold, held)),
    breakGlass: (await ruling({ verdict: 'release', breakGlass: true })) || released,
  };
}

/** Why a policy that came since lets nobody release it; '' where it does, or where that is not told here. */
async function whyNotReleased(
  { ledger, policy }: ControlParts,
  hold: Hold,
  { exchange }: HeldShown,
): Promise<string> {
  if (exchange === null || hold.state.status !== 'pending') return '';
  if (heldLength(hold, exchange) > trialCharactersMax) return '';
  return whyNot(() => requireReleasable(ledger, hold, policy()));
}

async function whyNotAmended(
  parts: ControlParts,
  hold: Hold,
  { exchange, unread }: HeldShown,
): Promise<string> {
  if (exchange === null) return unread || notReadByRole;
  const trial = trialOf(hold, exchange);
  return typeof trial === 'string' ? trial : onTrial(parts, hold, exchange, trial);
}

/** An amendment that changes nothing, or why there is none. */
function trialOf(hold: Hold, { request, response }: Exchange): AmendmentInput | string {
  if (hold.phase === 'request') {
    const trial = amendmentSchema.safeParse({ body: parsed(request.raw.body) });
    return trial.data?.body === undefined
      ? 'The request is not a JSON object. Release or deny it.'
      : trial.data;
  }
  const [call] = response?.toolCalls ?? [];
  const text = response?.text ?? '';
  if (call === undefined && text === '')
    return 'The answer has neither calls nor text to amend. Release or deny it.';
  if (call === undefined) return { text };
  const trial = amendmentSchema.safeParse({ toolCalls: [{ id: call.id, arguments: call.arguments }] });
  return trial.data ?? { toolCalls: [{ id: call.id, arguments: {} }] };
}

async function whyNotDivided(
  parts: ControlParts,
  hold: Hold,
  { exchange, unread }: HeldShown,
): Promise<string> {
  if (exchange === null) return unread || notReadByRole;
  const calls = exchange.response?.toolCalls ?? [];
  const [first, second] = calls;
  if (hold.phase === 'request' || first === undefined || second === undefined)
    return 'There are no two calls to tell apart.';
  return onTrial(parts, hold, exchange, { withheld: [first.id] });
}

function onTrial(
  parts: ControlParts,
  hold: Hold,
  exchange: Exchange,
  input: AmendmentInput,
): Promise<string> {
  if (heldLength(hold, exchange) > trialCharactersMax) return Promise.resolve('');
  // Which rule denies it hangs on what is written there, but for nobody's being able to tell.
  return whyNot(async () =>
    denialOf(parts.ledger, hold, await amendedMessage(parts.ledger, hold, input), parts.policy()),
  );
}

function heldLength({ phase }: Hold, { request, response }: Exchange): number {
  return (phase === 'request' ? request : (response ?? request)).raw.body.length;
}

const notReadByRole = 'Your role does not read what is held.';

async function whyNot(task: () => unknown): Promise<string> {
  try {
    await task();
    return '';
  } catch (error) {
    if (error instanceof HoldpointError && refusals.includes(error.code))
      return `${error.message} ${error.next}`.trim();
    throw error;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
