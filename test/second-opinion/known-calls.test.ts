/** Calls that were not held because their reader had them: what both verifiers find of ledgers validly signed. */
import {
  type Fields,
  type HeldExchange,
  type LedgerBuilder,
  sealHeldResponse,
} from '../support/ledger-builder.ts';
import { bothFind, type Scenario } from './alike.ts';

/** A held answer with two calls, of which nobody ruled; it is decision 1. */
const hold = (builder: LedgerBuilder, answer: Fields = {}): HeldExchange =>
  sealHeldResponse(builder, {}, { toolCalls: 2, ...answer });
const release = (builder: LedgerBuilder, { decision, hold: seq, digest }: HeldExchange): number =>
  builder.ruling(decision, seq, { digest });
const handOver = (builder: LedgerBuilder, { decision, hold: seq, digest }: HeldExchange): number =>
  builder.deliver(decision, seq, digest);

/** Released and handed over. */
function letGo(builder: LedgerBuilder, answer: Fields = {}): HeldExchange {
  const held = hold(builder, answer);
  release(builder, held);
  handOver(builder, held);
  return held;
}

/** An answer whose calls were known by these decisions. */
const readBack = (
  builder: LedgerBuilder,
  known: Fields[string],
  toolCalls: Fields[string] = 3,
  verdict = 'pass',
): number => builder.response(builder.request({ method: 'GET' }), { known, toolCalls, verdict });

const amendment = { amendment: 'HTTP/1.1 200 OK\r\n\r\n{"amount":20}' };

const scenarios: readonly Scenario[] = [
  [
    'calls of an answer that was handed over are known, before its outcome and long after',
    (b) => {
      const { decision } = letGo(b);
      readBack(b, [
        [0, decision],
        [2, decision],
      ]);
      b.close([[decision, 'delivered']]);
      b.commit();
      readBack(b, [[1, decision]]);
    },
    [],
  ],
  [
    'an answer that still waits lets nothing go',
    (b) => readBack(b, [[0, hold(b).decision]]),
    ['known_call_unfounded at 5'],
  ],
  [
    'a release that nobody took lets nothing go',
    (b) => {
      const held = hold(b);
      release(b, held);
      readBack(b, [[0, held.decision]]);
      handOver(b, held);
    },
    ['known_call_unfounded at 6'],
  ],
  [
    'an answer that was denied lets nothing go',
    (b) => {
      const { decision, hold: seq, digest } = hold(b);
      b.ruling(decision, seq, { digest, verdict: 'deny' });
      b.close([[decision, 'denied']]);
      readBack(b, [[0, decision]]);
    },
    ['known_call_unfounded at 7'],
  ],
  [
    'an answer that expired lets nothing go',
    (b) => {
      const { decision, hold: seq, digest } = hold(b);
      b.ruling(decision, seq, { digest, verdict: 'expired', by: 'holdpoint', role: '' });
      b.close([[decision, 'expired']]);
      readBack(b, [[0, decision]]);
    },
    ['known_call_unfounded at 7'],
  ],
  [
    'an amended answer lets nothing of the held one go',
    (b) => {
      const { decision, hold: seq, digest } = hold(b);
      const ruling = b.ruling(decision, seq, { digest, verdict: 'amend' }, amendment);
      b.deliver(decision, seq, b.c(ruling, 'amendment'));
      readBack(b, [[0, decision]]);
    },
    ['known_call_unfounded at 7'],
  ],
  [
    'an answer that no rule held lets nothing go',
    (b) => {
      const decision = b.request();
      b.response(decision, { toolCalls: 1 });
      b.close([[decision, 'delivered']]);
      readBack(b, [[0, decision]]);
    },
    ['known_call_unfounded at 5'],
  ],
  [
    'a request that was released lets nothing of its answer go',
    (b) => {
      const decision = b.request({ verdict: 'hold' });
      const seq = b.hold(decision, decision);
      b.ruling(decision, seq, { digest: b.c(decision, 'request') });
      b.deliver(decision, seq, b.c(decision, 'request'));
      b.response(decision, { toolCalls: 1 });
      b.deliver(decision, seq, b.c(decision, 'request'), 2);
      readBack(b, [[0, decision]]);
    },
    ['known_call_unfounded at 8'],
  ],
  [
    'an answer without calls lets none go',
    (b) => readBack(b, [[0, letGo(b, { toolCalls: 0 }).decision]]),
    ['known_call_unfounded at 7'],
  ],
  [
    'one of which it is not said how many calls it had lets none go',
    (b) => readBack(b, [[0, letGo(b, { toolCalls: 'two' }).decision]]),
    ['known_call_unfounded at 7'],
  ],
  [
    'an entry that is no request lets nothing go',
    (b) => readBack(b, [[0, letGo(b).hold]]),
    ['known_call_unfounded at 7'],
  ],
  [
    'each decision that is named must have let a call go',
    (b) => {
      const { decision } = letGo(b);
      readBack(b, [
        [0, decision],
        [1, 0],
      ]);
    },
    ['known_call_unfounded at 7'],
  ],
  ['an answer is not known by itself', (b) => readBack(b, [[0, 1]], 1), ['known_call_unfounded at 2']],
  ['a decision that comes later', (b) => readBack(b, [[0, 2]]), ['leaf_malformed at 2']],
  ['calls that are no list', (b) => readBack(b, 'all'), ['leaf_malformed at 2']],
  ['an empty list', (b) => readBack(b, []), ['leaf_malformed at 2']],
  ['one that is no pair', (b) => readBack(b, [0]), ['leaf_malformed at 2']],
  ['a pair of three', (b) => readBack(b, [[0, letGo(b).decision, 1]]), ['leaf_malformed at 7']],
  ['a place that is none', (b) => readBack(b, [['0', letGo(b).decision]]), ['leaf_malformed at 7']],
  [
    'a place that is named twice',
    (b) => {
      const { decision } = letGo(b);
      readBack(b, [
        [1, decision],
        [1, decision],
      ]);
    },
    ['leaf_malformed at 7'],
  ],
  [
    'a place beyond the calls that there are',
    (b) => readBack(b, [[3, letGo(b).decision]]),
    ['leaf_malformed at 7'],
  ],
  ['an answer of which a rule flags the rest', (b) => readBack(b, [[0, letGo(b).decision]], 3, 'flag'), []],
  [
    'an answer of which a rule holds the rest',
    (b) => readBack(b, [[0, letGo(b).decision]], 3, 'hold'),
    ['leaf_malformed at 7'],
  ],
  [
    'an answer of which a rule denies the rest',
    (b) => readBack(b, [[0, letGo(b).decision]], 3, 'deny'),
    ['leaf_malformed at 7'],
  ],
  [
    'places of calls of which it is not said how many there are',
    (b) => readBack(b, [[0, letGo(b).decision]], 'three'),
    ['leaf_malformed at 7'],
  ],
];

bothFind(scenarios);
