/** What people see of a decision that was made elsewhere and reported. */
import { decodeHttpMessage } from '../core/http-message.ts';
import type { Json } from '../ledger/canonical.ts';
import type { Entry } from '../ledger/entry.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { readReportedAnswer, readReportedRequest } from '../provider/reported.ts';
import { pathIn } from '../replay/messages.ts';
import { type Exchange, rawOf } from './exchange.ts';

/** Reads and understands what was reported. Throws when a body is damaged or erased. */
export async function readReportedExchange(
  ledger: Pick<Ledger, 'part'>,
  first: Entry,
  answer: Entry | undefined,
): Promise<Exchange> {
  const { data } = first;
  const message = decodeHttpMessage(await ledger.part(first.seq, 'request'));
  const call = {
    provider: textOf(data['provider']),
    operation: textOf(data['operation']),
    path: pathIn(first, message),
  };
  const { facts, defects } = readReportedRequest(call, message.body);
  const model = facts.model || textOf(data['model']);
  const request = { ...call, method: textOf(data['method']), ...facts, model, raw: rawOf(message) };
  const nobodyAmends = { amendedRequest: null, amendedResponse: null };
  if (answer === undefined) return { request, response: null, ...nobodyAmends, defects };
  const said = decodeHttpMessage(await ledger.part(answer.seq, 'response'));
  const reading = readReportedAnswer(call, Number(answer.data['status']), said.body);
  return {
    request,
    response: {
      ...reading.facts,
      model: reading.facts.model || textOf(answer.data['model']),
      streamed: false,
      raw: rawOf(said),
    },
    ...nobodyAmends,
    defects: [...defects, ...reading.defects],
  };
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
