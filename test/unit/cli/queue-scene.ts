/** An open hold of the interactive queue, three that are listed, and keys that are typed there. */
import type { Detail } from '../../../src/cli/hold-answers.ts';
import { keysOf } from '../../../src/cli/queue-keys.ts';
import {
  emptyQueue,
  type Listed,
  pressed,
  type QueueState,
  withItems,
  withShown,
} from '../../../src/cli/queue-state.ts';

export const digest = '7d'.repeat(32);

export function listed(id: string, headline = 'transfer_funds amount=5'): Listed {
  return {
    id,
    decisionId: 'd-1',
    state: 'pending',
    severity: 'high',
    headline,
    workload: headline,
    model: headline,
    digest,
    contentDigest: '',
    assignee: '',
    commentCount: 0,
    openedAt: '2026-11-26T10:00:00.000Z',
    expiresAt: '2026-11-26T10:15:00.000Z',
    caller: 'waiting',
    possibleDuplicate: false,
    approvals: { needed: 1, given: [], byRole: [] },
    roles: ['reviewer'],
  };
}

export const actions = { release: '', deny: '', amend: '', releaseCalls: '', breakGlass: '' };
export const callOf = (text: string) => ({
  id: text,
  name: text,
  arguments: { [text]: text },
  argumentsText: text,
});
export const raw = { startLine: '', headers: [], body: '' };
export type Exchange = NonNullable<Detail['exchange']>;
export function requestOf(messages: Exchange['request']['messages']): Exchange['request'] {
  return { method: 'POST', path: '/v1', params: {}, system: '', messages, tools: [], raw };
}
export function exchangeOf(request: Exchange['request'], response: Exchange['response']): Exchange {
  return { request, amendedRequest: null, response, amendedResponse: null, defects: [] };
}
export const two: Partial<Detail> = {
  exchange: exchangeOf(requestOf([]), {
    ...{ text: '', refusal: '', raw },
    toolCalls: [callOf('pay'), callOf('wipe')],
  }),
};

/** The first that is listed, opened. */
export function opened(state: QueueState, text = 'hello', change: Partial<Detail> = {}): QueueState {
  const [item] = state.items;
  if (item === undefined) throw new Error('nothing to open');
  const hold = detailed(item, text, change);
  return withShown({ ...state, opening: hold.id }, hold);
}

export function detailed(item: Listed, text = 'hello', change: Partial<Detail> = {}): Detail {
  return {
    ...item,
    rules: [{ id: 'r', title: text, when: text, error: '' }],
    policy: { version: text },
    rulings: [],
    requester: 'w',
    notRequester: true,
    escalation: [],
    escalated: [],
    breakGlass: [],
    collectInMs: 900_000,
    breakGlassCollectInMs: null,
    actions,
    inStead: [],
    comments: [],
    unreadable: [],
    review: null,
    outcome: null,
    exchange: exchangeOf(requestOf([{ role: text, text, toolCalls: [] }]), {
      ...{ text, refusal: '', raw },
      toolCalls: [callOf(text)],
    }),
    ...change,
  };
}

export const three = withItems(
  emptyQueue,
  ['h-1', 'h-2', 'h-3'].map((id) => listed(id)),
  3,
);
export const type = (state: QueueState, text: string) =>
  keysOf(text).reduce((step, key) => pressed(step.state, key), { state, effect: null } as ReturnType<
    typeof pressed
  >);
