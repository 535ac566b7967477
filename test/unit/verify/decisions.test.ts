import { describe, expect, it } from 'vitest';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import {
  createLedgerBuilder,
  type Fields,
  type HeldExchange,
  type LedgerBuilder,
  sealExchange,
  sealHeldResponse,
} from '../../support/ledger-builder.ts';

/** Everything here is validly signed: what the rules forbid is found all the same. */
async function codesOf(scenario: (builder: LedgerBuilder) => void): Promise<readonly string[]> {
  const builder = createLedgerBuilder();
  builder.genesis();
  scenario(builder);
  builder.commit();
  const { findings, ok } = await verifyLedger(builder.source());
  expect(ok).toBe(findings.length === 0);
  return findings.map(({ code, seq }) => `${code} at ${seq}`);
}

/** A held response (entries 1 to 3) and what happens to it next. */
const held = (then: (builder: LedgerBuilder, held: HeldExchange) => void, terms: Fields = {}) =>
  codesOf((builder) => then(builder, sealHeldResponse(builder, terms)));

const release = (
  builder: LedgerBuilder,
  { decision, hold, digest }: HeldExchange,
  data: Fields = {},
): number => builder.ruling(decision, hold, { digest, ...data });

describe('requests and responses', () => {
  it('a response without a request is found', async () => {
    expect(await codesOf((b) => b.response(0))).toEqual(['response_without_request at 1']);
  });

  it.each([
    ['with a file that it ties to no one', { id: 'file-1' }],
    ['with a file that has no id', { credential: 'a'.repeat(64), id: '' }],
    ['with a file tied to what is no commitment', { credential: 'sk-1', id: 'file-1' }],
    ['with a file and something beside', { credential: 'a'.repeat(64), id: 'file-1', judged: true }],
  ])('a response %s is found', async (_what, file) => {
    expect(await codesOf((b) => b.response(b.request(), { file }))).toEqual(['leaf_malformed at 2']);
  });

  it('a response with a file that is tied to who uploaded it is as it should be', async () => {
    const file = { credential: 'a'.repeat(64), id: 'file-1' };
    expect(await codesOf((b) => b.response(b.request(), { file }))).toEqual([]);
  });

  it('a second response is found', async () => {
    expect(await codesOf((b) => b.response(sealExchange(b)))).toEqual(['response_repeated at 3']);
  });

  it('a response to a request that a rule denied is found', async () => {
    expect(await codesOf((b) => b.response(b.request({ verdict: 'deny' })))).toEqual([
      'response_without_release at 2',
    ]);
  });

  it('a response to a request that a rule holds, with no hold sealed, is found', async () => {
    expect(await codesOf((b) => b.response(b.request({ verdict: 'hold' })))).toEqual([
      'response_without_release at 2',
    ]);
  });

  it('a response to a held request before its release is found', async () => {
    const codes = await codesOf((b) => {
      const decision = b.request({ verdict: 'hold' });
      b.hold(decision, decision);
      b.response(decision);
    });
    expect(codes).toEqual(['response_without_release at 3']);
  });

  it('a verdict outside the closed set is malformed', async () => {
    expect(await codesOf((b) => b.request({ verdict: 'allow' }))).toEqual(['leaf_malformed at 1']);
  });
});

describe('holds and rulings', () => {
  it('a hold without a request is found', async () => {
    expect(await codesOf((b) => b.hold(0, 0, { digest: '0'.repeat(64) }))).toEqual([
      'hold_without_request at 1',
    ]);
  });

  it('a hold of other bytes than those of its decision is found', async () => {
    expect(await codesOf((b) => b.hold(b.request(), 1, { digest: '0'.repeat(64) }))).toEqual([
      'hold_digest_mismatch at 2',
    ]);
  });

  it('a hold on a response before there is one is found', async () => {
    const codes = await codesOf((b) => b.hold(b.request(), 1, { phase: 'response' }));
    expect(codes).toEqual(['hold_digest_mismatch at 2']);
  });

  it('a ruling without a hold is found', async () => {
    const codes = await codesOf((b) => b.ruling(b.request(), 0, { digest: '0'.repeat(64) }));
    expect(codes).toEqual(['ruling_without_hold at 2']);
  });

  it("a ruling on another decision's hold is found", async () => {
    const codes = await held((b, { hold, digest }) => b.ruling(b.request(), hold, { digest }));
    expect(codes).toEqual(['ruling_without_hold at 5']);
  });

  it('a ruling with another digest is found', async () => {
    expect(await held((b, h) => release(b, h, { digest: '0'.repeat(64) }))).toEqual([
      'ruling_digest_mismatch at 4',
    ]);
  });

  it.each(['release', 'deny'])('a %s in a role the hold does not allow is found', async (verdict) => {
    expect(await held((b, h) => release(b, h, { verdict, role: 'viewer' }))).toEqual([
      'ruling_role_not_allowed at 4',
    ]);
  });

  it('an expiry needs no role, but only holdpoint itself may rule it', async () => {
    const expiry = { verdict: 'expired', role: '' };
    expect(await held((b, h) => release(b, h, { ...expiry, by: 'holdpoint' }))).toEqual([]);
    expect(await held((b, h) => release(b, h, { ...expiry, by: 'rita' }))).toEqual([
      'ruling_role_not_allowed at 4',
    ]);
  });

  it("a release by the requester is found where the hold forbids it, a denial is the requester's right", async () => {
    expect(await held((b, h) => release(b, h, { by: 'agent-7' }))).toEqual(['ruling_requester at 4']);
    expect(await held((b, h) => release(b, h, { by: 'agent-7', verdict: 'deny' }))).toEqual([]);
    expect(await held((b, h) => release(b, h, { by: 'agent-7' }), { notRequester: false })).toEqual([]);
  });

  it('a name that would steer a terminal is made harmless in the message', async () => {
    const builder = createLedgerBuilder();
    builder.genesis();
    release(builder, sealHeldResponse(builder), { by: '\u001b[2Jrita\u202e', role: 'viewer' });
    builder.commit();
    const { findings } = await verifyLedger(builder.source());
    expect(findings[0]?.message).toContain('\ufffd[2Jrita\ufffd as "viewer"');
  });

  it('a ruling after the final one is found', async () => {
    const codes = await held((b, h) => {
      release(b, h, { verdict: 'deny' });
      release(b, h);
    });
    expect(codes).toEqual(['ruling_after_final at 5']);
  });

  it('a release with fewer approvals than the hold demands is found', async () => {
    expect(await held((b, h) => release(b, h), { approvals: 2 })).toEqual(['quorum_not_met at 4']);
  });

  it('one person approving twice is one approval', async () => {
    const twice = (b: LedgerBuilder, h: HeldExchange): void => {
      release(b, h, { final: false });
      release(b, h);
    };
    expect(await held(twice, { approvals: 2 })).toEqual(['quorum_not_met at 5']);
  });

  it('an approval of the original bytes is none of the amended ones', async () => {
    const codes = await held(
      (b, h) => {
        release(b, h, { by: 'ruth', final: false });
        b.ruling(h.decision, h.hold, { verdict: 'amend', digest: h.digest }, { amendment: 'less' });
      },
      { approvals: 2 },
    );
    expect(codes).toEqual(['quorum_not_met at 5']);
  });

  it('a denial that claims not to be final is malformed', async () => {
    expect(await held((b, h) => release(b, h, { verdict: 'deny', final: false }))).toEqual([
      'leaf_malformed at 4',
    ]);
  });

  it('an amendment without its part is malformed', async () => {
    expect(await held((b, h) => release(b, h, { verdict: 'amend' }))).toEqual(['leaf_malformed at 4']);
  });

  it('an approval sealed after the expiry is noted', async () => {
    const builder = createLedgerBuilder();
    builder.genesis();
    release(builder, sealHeldResponse(builder, { expires: Date.UTC(2026, 10, 22, 9) }));
    builder.commit();
    const { notes } = await verifyLedger(builder.source());
    expect(notes.join(' ')).toContain('1 approval was sealed later than the expiry of the hold');
  });
});

describe('deliveries', () => {
  it('held bytes handed over without a ruling are found', async () => {
    expect(await held((b, h) => b.deliver(h.decision, h.hold, h.digest))).toEqual([
      'delivery_without_ruling at 4',
    ]);
  });

  it('held bytes handed over after a denial are found', async () => {
    const codes = await held((b, h) => {
      release(b, h, { verdict: 'deny' });
      b.deliver(h.decision, h.hold, h.digest);
    });
    expect(codes).toEqual(['delivery_without_ruling at 5']);
  });

  it('held bytes handed over after the first of two approvals are found', async () => {
    const early = (b: LedgerBuilder, h: HeldExchange): void => {
      release(b, h, { final: false });
      b.deliver(h.decision, h.hold, h.digest);
    };
    expect(await held(early, { approvals: 2 })).toEqual(['delivery_without_ruling at 5']);
  });

  it('other bytes than those released are found', async () => {
    const codes = await held((b, h) => {
      release(b, h);
      b.deliver(h.decision, h.hold, '0'.repeat(64));
    });
    expect(codes).toEqual(['delivery_digest_mismatch at 5']);
  });

  it('the original handed over although it was amended is found', async () => {
    const codes = await held((b, h) => {
      b.ruling(h.decision, h.hold, { verdict: 'amend', digest: h.digest }, { amendment: 'less' });
      b.deliver(h.decision, h.hold, h.digest);
    });
    expect(codes).toEqual(['delivery_digest_mismatch at 5']);
  });

  it('a second hand-over is legal as the next attempt, before and after the outcome', async () => {
    const codes = await held((b, h) => {
      release(b, h);
      for (const attempt of [1, 2]) b.deliver(h.decision, h.hold, h.digest, attempt);
      b.close([[h.decision, 'delivered']]);
      b.deliver(h.decision, h.hold, h.digest, 3);
    });
    expect(codes).toEqual([]);
  });

  it('an answer that a rule denied, handed over on a ruling all the same, is found each time', async () => {
    const codes = await codesOf((b) => {
      const decision = b.request();
      const response = b.response(decision, { verdict: 'deny' });
      const digest = b.c(response, 'response');
      const hold = b.hold(decision, response, { phase: 'response', digest });
      b.ruling(decision, hold, { digest });
      b.deliver(decision, hold, digest);
      const again = { action: 'redelivery', by: 'agent-7', role: 'workload', decision, hold, digest };
      b.about(decision, { type: 'access', data: again });
      b.close([[decision, 'client_abort']]);
    });
    expect(codes).toEqual(['delivery_without_ruling at 5', 'delivery_without_ruling at 6']);
  });

  it('a request that a rule denied, sent on upon a ruling all the same, is found', async () => {
    const codes = await codesOf((b) => {
      const decision = b.request({ verdict: 'deny' });
      const digest = b.c(decision, 'request');
      const hold = b.hold(decision, decision);
      b.ruling(decision, hold, { digest });
      b.deliver(decision, hold, digest);
      b.close([[decision, 'interrupted']]);
    });
    expect(codes).toEqual(['delivery_without_ruling at 4']);
  });

  it('held bytes handed over while another hold of them waits are found', async () => {
    const codes = await held((b, h) => {
      b.hold(h.decision, h.decision + 1, { phase: 'response', digest: h.digest });
      release(b, h);
      b.deliver(h.decision, h.hold, h.digest);
      b.close([[h.decision, 'interrupted']]);
    });
    expect(codes).toEqual(['delivery_without_ruling at 6']);
  });

  it('an answer first handed over after the outcome is found, although its request was sent on before', async () => {
    const codes = await codesOf((b) => {
      const decision = b.request({ verdict: 'hold' });
      const asked = b.c(decision, 'request');
      const first = b.hold(decision, decision);
      b.ruling(decision, first, { digest: asked });
      b.deliver(decision, first, asked);
      const response = b.response(decision, { verdict: 'hold' });
      const digest = b.c(response, 'response');
      const second = b.hold(decision, response, { phase: 'response', digest });
      b.ruling(decision, second, { digest });
      b.close([[decision, 'released_undelivered']]);
      b.deliver(decision, second, digest);
    });
    expect(codes).toEqual(['delivery_without_ruling at 9']);
  });

  it('a redelivery to a retry must be of what was handed over before', async () => {
    const again = (b: LedgerBuilder, h: HeldExchange, data: Fields = {}): number => {
      const facts = {
        action: 'redelivery',
        by: 'agent-7',
        role: 'workload',
        decision: h.decision,
        hold: h.hold,
      };
      return b.about(h.decision, { type: 'access', data: { ...facts, digest: h.digest, ...data } });
    };
    const judged = await held((b, h) => {
      release(b, h);
      again(b, h);
      b.deliver(h.decision, h.hold, h.digest);
      again(b, h);
      b.heartbeat();
      b.close([[h.decision, 'delivered']]);
      again(b, h);
      again(b, h, { digest: '0'.repeat(64) });
      again(b, h, { hold: 0 });
    });
    expect(judged).toEqual([
      'delivery_without_ruling at 5',
      'delivery_digest_mismatch at 11',
      'delivery_without_ruling at 12',
    ]);
  });

  it.each([1, 3])('a second hand-over as attempt %i is found', async (attempt) => {
    const codes = await held((b, h) => {
      release(b, h);
      b.deliver(h.decision, h.hold, h.digest, 1);
      b.deliver(h.decision, h.hold, h.digest, attempt);
    });
    expect(codes).toEqual(['delivery_repeated at 6']);
  });
});

describe('outcomes', () => {
  const closed = (outcome: string, scenario: (builder: LedgerBuilder) => number) =>
    codesOf((b) => b.close([[scenario(b), outcome]]));
  const ruled =
    (data: Fields) =>
    (b: LedgerBuilder): number => {
      const exchange = sealHeldResponse(b);
      release(b, exchange, data);
      return exchange.decision;
    };

  it('an outcome without a request is found', async () => {
    expect(await closed('delivered', () => 0)).toEqual(['outcome_without_request at 1']);
  });

  it('a second outcome is found, in the same entry and in a later one', async () => {
    const codes = await codesOf((b) => {
      const decision = sealExchange(b);
      b.close([
        [decision, 'delivered'],
        [decision, 'delivered'],
      ]);
      b.recover([[decision, 'interrupted']]);
    });
    expect(codes).toEqual(['outcome_repeated at 3', 'outcome_repeated at 4']);
  });

  it('an outcome outside the closed set is malformed', async () => {
    expect(await closed('lost', (b) => b.request())).toEqual(['leaf_malformed at 2']);
  });

  it.each<[string, string, (b: LedgerBuilder) => number]>([
    ['delivered', 'no response', (b) => b.request()],
    ['delivered', 'a request denied by a rule', (b) => b.request({ verdict: 'deny' })],
    ['delivered', 'a pending hold', (b) => sealHeldResponse(b).decision],
    ['delivered', 'a denied hold', ruled({ verdict: 'deny' })],
    ['delivered', 'a release that no delivery used', ruled({})],
    ['denied', 'no denial', sealExchange],
    ['denied', 'a release', ruled({})],
    ['expired', 'no expiry', ruled({ verdict: 'deny' })],
    ['released_undelivered', 'no release', ruled({ verdict: 'deny' })],
    ['upstream_error', 'a request denied by a rule', (b) => b.request({ verdict: 'deny' })],
  ])('%s contradicts %s', async (outcome, _name, scenario) => {
    const codes = await closed(outcome, scenario);
    expect(codes.map((code) => code.split(' ')[0])).toEqual(['outcome_contradicts']);
  });

  it('denied fits a request that should be held and was refused at once', async () => {
    expect(await closed('denied', (b) => b.request({ verdict: 'hold' }))).toEqual([]);
  });

  it('delivered needs no response where the request says that the answer is not recorded', async () => {
    const builder = createLedgerBuilder();
    builder.genesis();
    builder.close([[builder.request({ recorded: false }), 'delivered']]);
    builder.commit();
    const { findings, notes } = await verifyLedger(builder.source());
    expect(findings).toEqual([]);
    expect(notes.join(' ')).toContain('1 connection was tunnelled');
  });

  it.each(['deny', 'hold'])('delivered contradicts a response whose rules say %s', async (verdict) => {
    const codes = await codesOf((b) => {
      const decision = b.request();
      b.response(decision, { verdict });
      b.close([[decision, 'delivered']]);
    });
    expect(codes).toEqual(['outcome_contradicts at 3']);
  });

  it('denied and expired contradict bytes that were handed over', async () => {
    const handedOver = (outcome: string) =>
      held((b, h) => {
        release(b, h);
        b.deliver(h.decision, h.hold, h.digest);
        b.close([[h.decision, outcome]]);
      });
    expect(await handedOver('denied')).toEqual(['outcome_contradicts at 6']);
    expect(await handedOver('expired')).toEqual(['outcome_contradicts at 6']);
  });

  it('denied and expired fit the answer to a held request that was released and handed over', async () => {
    const answered = (outcome: string, answer: (b: LedgerBuilder, decision: number) => void) =>
      codesOf((b) => {
        const decision = b.request({ verdict: 'hold' });
        const digest = b.c(decision, 'request');
        const hold = b.hold(decision, decision);
        b.ruling(decision, hold, { digest });
        b.deliver(decision, hold, digest);
        answer(b, decision);
        b.close([[decision, outcome]]);
      });
    const ruledAnswer = (verdict: string) => (b: LedgerBuilder, decision: number) => {
      const response = b.response(decision, { verdict: 'hold' });
      const by = verdict === 'expired' ? { by: 'holdpoint', role: 'holdpoint' } : {};
      const hold = b.hold(decision, response);
      b.ruling(decision, hold, { verdict, digest: b.c(response, 'response'), ...by });
    };
    expect(await answered('denied', (b, decision) => b.response(decision, { verdict: 'deny' }))).toEqual([]);
    expect(await answered('denied', ruledAnswer('deny'))).toEqual([]);
    expect(await answered('expired', ruledAnswer('expired'))).toEqual([]);
    expect(await answered('denied', (b, decision) => b.response(decision))).toEqual([
      'outcome_contradicts at 6',
    ]);
  });

  it('a held answer that was handed over is not closed as undelivered', async () => {
    const codes = await held((b, h) => {
      release(b, h);
      b.deliver(h.decision, h.hold, h.digest);
      b.close([[h.decision, 'released_undelivered']]);
    });
    expect(codes).toEqual(['outcome_contradicts at 6']);
  });

  it.each(['client_abort', 'interrupted', 'ledger_unavailable'])(
    '%s can befall any decision',
    async (outcome) => {
      expect(await closed(outcome, (b) => b.request())).toEqual([]);
      expect(await closed(outcome, (b) => sealHeldResponse(b).decision)).toEqual([]);
    },
  );

  it('a line of a batch is carried by an earlier decision, and nothing else is', async () => {
    const line = (b: LedgerBuilder) => b.request({ batch: b.request(), line: 1 });
    expect(await closed('carried', line)).toEqual([]);
    expect(await closed('carried', (b) => b.request())).toEqual(['outcome_contradicts at 2']);
    expect(await codesOf((b) => b.request({ batch: 1, line: 1 }))).toEqual(['leaf_malformed at 1']);
  });
});

describe('heartbeats', () => {
  it('one that counts other open decisions than there are is found', async () => {
    const codes = await codesOf((b) => {
      b.request();
      b.heartbeat({ open: 0 });
    });
    expect(codes).toEqual(['snapshot_mismatch at 2']);
  });
});
