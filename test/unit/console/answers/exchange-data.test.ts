/** A recorded exchange as the console shows it: what a call is known as, and what some client reads of it instead. */
import { expect, it } from 'vitest';
import { readExchange } from '../../../../src/console/answers/exchange-data.ts';

const raw = { startLine: 'POST / HTTP/1.1', headers: [], body: '' };
const reading = (name: string, amount: number) => ({
  name,
  arguments: { amount },
  argumentsText: JSON.stringify({ amount }),
});

function callOf(call: object) {
  const exchange = readExchange({
    request: {
      ...{ method: 'POST', path: '/', params: {}, system: '', messages: [], tools: [], text: '', raw },
    },
    response: {
      ...{ status: 200, text: '', refusal: '', toolCalls: [{ id: 'c', ...call }], finishReason: '' },
      ...{ usage: { source: 'absent' }, streamed: false, raw },
    },
    amendedRequest: null,
    amendedResponse: null,
    defects: [],
  });
  return exchange.response?.toolCalls[0];
}

it('has the other names of a call, and its arguments as some client reads them', () => {
  const alsoAs = [reading('pay', 15), reading('bank.pay', 1), reading('bank.pay', 15)];
  expect(callOf({ ...reading('pay', 1), alsoAs })).toMatchObject({
    otherNames: [{ text: 'bank.pay', at: [1, 2] }],
    otherReadings: [{ text: '{"amount":15}', at: [0, 2] }],
    sameArgumentsAt: [1],
  });
});

it('does not take what a server hands to its tool for what a client reads', () => {
  const own = { name: 'mcp_call', arguments: reading('pay', 5), argumentsText: '{}' };
  expect(callOf({ ...own, alsoAs: [reading('pay', 5)] })).toMatchObject({
    otherNames: [{ text: 'pay', at: [0] }],
    otherReadings: [],
    sameArgumentsAt: [],
  });
});
