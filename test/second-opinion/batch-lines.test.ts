/** Lines of batches, and the decisions that they say carried them: what both verifiers find of ledgers validly signed. */
import type { LedgerBuilder } from '../support/ledger-builder.ts';
import { bothFind, type Scenario } from './alike.ts';

const request = (builder: LedgerBuilder, verdict = 'pass'): number => builder.request({ verdict });
const line = (builder: LedgerBuilder, batch: number, verdict = 'pass'): number =>
  builder.request({ batch, line: 1, verdict });
/** A line of answers, whose own answer has this verdict. */
const answered = (builder: LedgerBuilder, batch: number, verdict = 'pass'): number =>
  builder.response(line(builder, batch), { verdict });

const toldBy = { at: '2026-11-22T08:00:00.000Z', by: 'hub', decider: 'gate', id: 'r-1', outcome: 'allowed' };

const scenarios: readonly Scenario[] = [
  [
    'lines of each verdict in a body that was denied for one of them',
    (b) => {
      const carrier = request(b, 'deny');
      for (const verdict of ['pass', 'flag', 'hold', 'deny']) line(b, carrier, verdict);
    },
    [],
  ],
  ['a line that a rule flags, and its body as a whole does not', (b) => line(b, request(b), 'flag'), []],
  [
    'a line that is denied in a body that is held',
    (b) => line(b, request(b, 'hold'), 'deny'),
    ['line_unfounded at 2'],
  ],
  [
    'a line that is held in a body that is flagged',
    (b) => line(b, request(b, 'flag'), 'hold'),
    ['line_unfounded at 2'],
  ],
  [
    'lines of a body that has its outcome by then',
    (b) => {
      const carrier = request(b, 'hold');
      b.close([[carrier, 'interrupted']]);
      line(b, carrier, 'hold');
    },
    [],
  ],
  ['a line that names the genesis', (b) => line(b, 0), ['line_unfounded at 1']],
  [
    'a line that names the answer to its body',
    (b) => line(b, b.response(request(b))),
    ['line_unfounded at 3'],
  ],
  ['a line that names another line', (b) => line(b, line(b, request(b))), ['line_unfounded at 3']],
  [
    'a line that names a connection that passed unread',
    (b) => line(b, b.request({ recorded: false })),
    ['line_unfounded at 2'],
  ],
  [
    'a line that names what was only reported',
    (b) => line(b, b.request({ reported: toldBy })),
    ['line_unfounded at 2'],
  ],
  [
    'answers of each verdict in an answer that was denied for one of them',
    (b) => {
      const carrier = request(b);
      b.response(carrier, { verdict: 'deny' });
      for (const verdict of ['pass', 'flag', 'hold', 'deny']) answered(b, carrier, verdict);
    },
    [],
  ],
  [
    'an answer that is denied in one that is held',
    (b) => {
      const carrier = request(b);
      b.response(carrier, { verdict: 'hold' });
      answered(b, carrier, 'deny');
    },
    ['line_unfounded at 4'],
  ],
  [
    'an answer that is held in one that passes, to a request that was held and released',
    (b) => {
      const carrier = request(b, 'hold');
      const hold = b.hold(carrier, carrier);
      b.ruling(carrier, hold, { digest: b.c(carrier, 'request') });
      b.response(carrier);
      answered(b, carrier, 'hold');
    },
    ['line_unfounded at 6'],
  ],
  ['an answer where what carried it has none', (b) => answered(b, request(b)), ['line_unfounded at 3']],
];

bothFind(scenarios);
