/** Holds for the console's tests. */
import type { HoldSummary } from '../../../src/console/answers/hold-data.ts';
import type { HoldDetail } from '../../../src/console/answers/hold-detail.ts';

export function hold(id: string, change: Partial<HoldSummary> = {}): HoldSummary {
  return {
    id,
    decisionId: `d-${id}`,
    state: 'pending',
    phase: 'response',
    severity: 'high',
    rules: [{ id: 'rule', title: 'A rule', severity: 'high' }],
    headline: 'transfer_funds amount=25000',
    provider: 'openai',
    operation: 'chat.completions',
    model: 'gpt-4.1',
    workload: 'billing-agent',
    session: '',
    stream: false,
    digest: '0'.repeat(64),
    openedAtMs: 0,
    expiresAtMs: 900_000,
    approvals: { needed: 1, given: [], byRole: [] },
    roles: ['reviewer'],
    escalation: [],
    breakGlass: [],
    requester: 'billing-agent',
    callerWaits: true,
    possibleDuplicate: false,
    assignee: '',
    commentCount: 0,
    contentDigest: '',
    outcome: null,
    ...change,
  };
}

/** The whole of a hold, for somebody to whom everything is open and who reads no content. */
export function detailOf(summary: HoldSummary): HoldDetail {
  return {
    summary,
    rules: [],
    policy: { version: '1', digest: '' },
    rulings: [],
    history: [],
    workloadHolds: [],
    workloadUnreadable: [],
    unreadable: [],
    actions: { release: '', deny: '', amend: '', amendText: '', releaseCalls: '', breakGlass: '' },
    inStead: [],
    comments: [],
    review: null,
    notRequester: false,
    escalated: [],
    collectInMs: 900_000,
    breakGlassCollectInMs: null,
    exchange: null,
  };
}
