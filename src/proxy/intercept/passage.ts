/**
 * A connection or request to somewhere that is no upstream: it is refused, or passes unread where that is
 * configured. Either way it is sealed, and nothing goes out before that.
 */
import { isIP } from 'node:net';
import { HoldpointError } from '../../core/errors.ts';
import type { Facts } from '../../core/facts.ts';
import { nameIn } from '../../core/header-name.ts';
import {
  encodeHttpMessage,
  type RawHeaders,
  removedValue,
  targetWithoutSecrets,
  withoutSecrets,
} from '../../core/http-message.ts';
import type { Judgement, Match } from '../../policy/policy.ts';
import { unreadRequest } from '../../provider/reading/reading.ts';
import type { House } from '../house.ts';
import { judge } from '../judge.ts';
import { type Destination, nameOf, type Site } from './destination.ts';

/** What was asked for, as it is recorded. */
export interface Asked {
  readonly method: string;
  /** `host:port` or an absolute target. */
  readonly target: string;
  readonly headers: RawHeaders;
  /** Null where no host can be made out. */
  readonly destination: Destination | null;
}

export type Others = 'refuse' | 'pass';

/** The rule that the record names for a refusal: the host may not be passed to, or may not be the one that is meant. */
export type RefusedFor = 'holdpoint:other-host' | 'holdpoint:hidden-host';

const textMax = 256;

/** Why a destination that is no upstream may not be passed to; null when it may. */
export function refusalOf(
  destination: Destination | null,
  others: Others,
  sites: readonly Site[],
): HoldpointError | null {
  const refused = (what: string, next: string): HoldpointError =>
    new HoldpointError('host_not_allowed', what, next);
  if (destination === null) return refused('No host can be made out.', 'Name one host by its DNS name.');
  const name = nameOf(destination);
  if (sites.some(({ host }) => host === destination.host))
    return refused(
      `${name} is a configured upstream's host, at another port or without TLS.`,
      `Call it as configured: ${sites.map((site) => `${site.scheme}://${nameOf(site)}`).join(', ')}.`,
    );
  if (others === 'refuse')
    return refused(
      `${name} is no configured upstream.`,
      'Add it to upstreams, name it in NO_PROXY, or set proxy.others: pass.',
    );
  return isIP(destination.host) === 0
    ? null
    : refused(`${name} is an address; only names pass.`, 'Call the host by its name.');
}

/**
 * Seals what was asked for and what becomes of it. Resolves with the decision once it may go on; then the caller
 * settles it. Throws `host_not_allowed` or `denied_by_policy` when it may not, and `ledger_unavailable`; the decision is
 * settled then.
 */
export async function sealPassage(
  asked: Asked,
  refusal: HoldpointError | null,
  house: House,
  refusedFor: RefusedFor = 'holdpoint:other-host',
): Promise<number> {
  const policy = house.policy();
  const judgement = refusal === null ? ruled(asked, house) : refusedBy(refusal, refusedFor);
  const { headers } = asked;
  const message = encodeHttpMessage({
    startLine: `${asked.method} ${targetOf(asked)} HTTP/1.1`,
    headers: withoutSecrets(headers),
    body: Buffer.alloc(0),
  });
  const sealed = house.ledger.seal({
    type: 'request',
    data: {
      bytes: 0,
      caller: '',
      method: asked.method.slice(0, textMax),
      model: '',
      operation: 'tunnel',
      path: pathOf(asked),
      policy: policy.digest,
      provider: '',
      recorded: false,
      rules: judgement.matches.map(({ rule }) => rule),
      stream: false,
      upstream: '',
      verdict: judgement.action,
      workload: workloadOf(headers, house),
    },
    parts: [{ name: 'request', bytes: message }],
  });
  try {
    await sealed.durable;
  } catch (thrown) {
    // It may have reached the disk all the same.
    house.holds.settle(sealed.seq, 'ledger_unavailable');
    throw thrown;
  }
  if (judgement.action === 'pass' || judgement.action === 'flag') return sealed.seq;
  house.holds.settle(sealed.seq, 'denied');
  throw refusal ?? new HoldpointError('denied_by_policy', 'A rule stops this connection.');
}

/** What passes unread cannot be suspended: what would be held is denied. */
function ruled(asked: Asked, house: House): Judgement {
  const facts: Facts = {
    request: {
      ...unreadRequest('').facts,
      provider: '',
      operation: 'tunnel',
      method: asked.method,
      path: pathOf(asked),
      headers: {},
      workload: workloadOf(asked.headers, house),
      subject: '',
      purpose: '',
      session: '',
    },
  };
  const judgement = judge(house.policy(), 'request', facts, []);
  return judgement.action === 'hold' ? { ...judgement, action: 'deny' } : judgement;
}

function refusedBy(refusal: HoldpointError, rule: RefusedFor): Judgement {
  const match: Match = {
    rule,
    title: refusal.message,
    when: '',
    action: 'deny',
    severity: 'medium',
    hold: { expiresInMs: 0, approvals: 1, roles: [], notRequester: true },
    error: '',
  };
  return { action: 'deny', matches: [match] };
}

/** Who asks may stand before the host, with a password (RFC 3986 section 3.2.1); no host is made out then. */
const userInfo = /^(http:\/\/)?[^/?#]*@/i;

const targetOf = ({ target }: Asked): string =>
  targetWithoutSecrets(target).replace(userInfo, `$1${removedValue}@`);

const pathOf = (asked: Asked): string =>
  (asked.destination === null ? targetOf(asked) : nameOf(asked.destination)).slice(0, textMax);

const workloadOf = (headers: RawHeaders, house: House): string =>
  nameIn(headers, 'holdpoint-workload') || house.workloadName;
