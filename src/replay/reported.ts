/** Facts of a decision that was made elsewhere and reported, from what was sealed of it. */
import type { RequestFacts } from '../core/facts.ts';
import { headerOf } from '../core/http-message.ts';
import type { Entry } from '../ledger/entry.ts';
import { type ReportedCall, readReportedAnswer, readReportedRequest } from '../provider/reported.ts';
import {
  judgedIn,
  messageIn,
  type Obstructed,
  pathIn,
  type Replayable,
  type ReplayedLedger,
  textOf,
} from './messages.ts';

/** Rules only ever flagged it, and so they do now. */
export async function readReported(
  ledger: ReplayedLedger,
  first: Entry,
  answer: Entry | undefined,
): Promise<readonly (Replayable | Obstructed)[]> {
  const judged = judgedIn('request', first);
  const message = await messageIn(ledger, first, 'request');
  const told = answer === undefined ? null : judgedIn('response', answer);
  if (typeof message === 'string')
    return [judged, ...(told === null ? [] : [told])].map((one) => ({ ...one, obstacle: message }));
  const { data } = first;
  const call: ReportedCall = {
    provider: textOf(data, 'provider'),
    operation: textOf(data, 'operation'),
    path: pathIn(first, message),
  };
  const reading = readReportedRequest(call, message.body);
  const request: RequestFacts = {
    ...{ ...call, method: textOf(data, 'method'), headers: {} },
    ...reading.facts,
    model: reading.facts.model || textOf(data, 'model'),
    workload: textOf(data, 'workload'),
    subject: headerOf(message.headers, 'holdpoint-subject'),
    purpose: textOf(data, 'purpose'),
    session: textOf(data, 'session'),
  };
  const common = { lacking: new Set<string>(), flagsOnly: true } as const;
  const asked = { facts: { request }, defects: reading.defects };
  const phases: (Replayable | Obstructed)[] = [{ ...judged, ...common, heard: () => [asked] }];
  if (answer === undefined || told === null) return phases;
  const said = await messageIn(ledger, answer, 'response');
  if (typeof said === 'string') return [...phases, { ...told, obstacle: said }];
  const { facts, defects } = readReportedAnswer(call, Number(answer.data['status']), said.body);
  const response = { ...facts, model: facts.model || textOf(answer.data, 'model') };
  const heard = { facts: { request, response }, defects };
  return [...phases, { ...told, ...common, heard: () => [heard] }];
}
