/**
 * Types and calls of the control port, made from its OpenAPI description by test/client-library/generate.ts: not to be
 * edited. Path parameters, query and `body` of a call are one object.
 */
/** The latest `anchor` entries, newest first. */
export type Anchors = { readonly items: readonly (Entry)[]; readonly unreadable: readonly (UnreadableEntry)[]; readonly unreadableEntries: number };
/** What to replay over which decisions. */
export type BacktestOrder = { readonly policy: string; readonly reason: string; readonly before?: number; readonly since?: string; readonly until?: string; readonly limit?: number };
/** What a draft would have said of recorded decisions, beside what was said. */
export type BacktestPage = { readonly draft: { readonly version: string; readonly digest: string; readonly rules: number }; readonly decisions: number; readonly replayed: { readonly request: number; readonly response: number }; readonly rules: readonly ({ readonly rule: string; readonly phase: "request" | "response"; readonly title: string; readonly action: "hold" | "deny" | "flag" | null; readonly now: number; readonly before: number; readonly newly: { readonly decisions: number; readonly examples: readonly (string)[] }; readonly noLonger: { readonly decisions: number; readonly examples: readonly (string)[] }; readonly failed: { readonly decisions: number; readonly examples: readonly (string)[] }; readonly unknown: { readonly decisions: number; readonly examples: readonly (string)[] } })[]; readonly verdicts: readonly ({ readonly before: "pass" | "flag" | "hold" | "deny"; readonly now: "pass" | "flag" | "hold" | "deny"; readonly decisions: number })[]; readonly notReplayed: readonly ({ readonly reason: "erased" | "cut" | "not_recorded" | "unknown_family" | "damaged"; readonly phase: "request" | "response"; readonly decisions: number; readonly examples: readonly (string)[] })[]; readonly next: number | null; readonly unreadable: readonly (UnreadableEntry)[] };
/** Everything that was said in one decision. */
export type Bodies = { readonly id: string; readonly bodies: readonly (Body)[] };
/** One sealed body; it can always be turned back into the sealed bytes. */
export type Body = { readonly seq: number; readonly type: string; readonly name: string; readonly size: number; readonly commitment: string; readonly startLine?: string; readonly headers?: readonly (string)[]; readonly text?: string; readonly base64?: string; readonly erased?: string };
/** What became of each hold. */
export type BulkRuled = { readonly ruled: number; readonly refused: number; readonly items: readonly ({ readonly id: string; readonly hold: HoldSummary | null; readonly refusal: { readonly code: string; readonly detail: string; readonly next: string } | null })[] };
/** One ruling on holds of the same bytes. */
export type BulkRuling = { readonly contentDigest: string; readonly verdict: "release" | "deny"; readonly reason?: string; readonly holds: readonly (string)[] };
/** The signed checkpoint over everything that is durable. */
export type Checkpoint = { readonly origin: string; readonly size: number; readonly note: string; readonly key: string };
/** Shows that a tree is the beginning of a later one. */
export type ConsistencyProof = { readonly from: number; readonly to: number; readonly fromRoot: string; readonly toRoot: string; readonly hashes: readonly (string)[] };
/** One decision in a few fields. */
export type Decision = { readonly id: string; readonly seq: number; readonly at: string; readonly provider: string; readonly operation: string; readonly method: string; readonly path: string; readonly model: string; readonly workload: string; readonly session: string; readonly stream: boolean; readonly verdict: "pass" | "flag" | "hold" | "deny"; readonly rules: readonly (string)[]; readonly status: number | null; readonly usage: { readonly source: "provider" | "absent"; readonly input?: number; readonly output?: number; readonly total?: number } | null; readonly holds: readonly (string)[]; readonly ruledBy: readonly (string)[]; readonly outcome: "delivered" | "denied" | "expired" | "released_undelivered" | "client_abort" | "upstream_error" | "upstream_truncated" | "interrupted" | "ledger_unavailable" | "carried" | "reported" | null; readonly reported: { readonly by: string; readonly id: string; readonly decider: string; readonly at: string; readonly outcome: string; readonly class: string } | null };
/** One decision with its sealed entries. */
export type DecisionDetail = { readonly id: string; readonly seq: number; readonly at: string; readonly provider: string; readonly operation: string; readonly method: string; readonly path: string; readonly model: string; readonly workload: string; readonly session: string; readonly stream: boolean; readonly verdict: "pass" | "flag" | "hold" | "deny"; readonly rules: readonly (string)[]; readonly status: number | null; readonly usage: { readonly source: "provider" | "absent"; readonly input?: number; readonly output?: number; readonly total?: number } | null; readonly holds: readonly (string)[]; readonly ruledBy: readonly (string)[]; readonly outcome: "delivered" | "denied" | "expired" | "released_undelivered" | "client_abort" | "upstream_error" | "upstream_truncated" | "interrupted" | "ledger_unavailable" | "carried" | "reported" | null; readonly reported: { readonly by: string; readonly id: string; readonly decider: string; readonly at: string; readonly outcome: string; readonly class: string } | null; readonly entries: readonly (Entry)[] };
/** Decisions, newest first. */
export type DecisionPage = { readonly items: readonly (Decision)[]; readonly next: number | null; readonly unreadable: readonly (UnreadableEntry)[] };
/** A role that somebody lent while they are away. */
export type Delegation = { readonly seq: number; readonly from: string; readonly role: string; readonly to: string; readonly until: string; readonly inForce: boolean };
/** One sealed entry of the ledger. */
export type Entry = { readonly v: 1; readonly ledger: string; readonly seq: number; readonly type: "genesis" | "start" | "stop" | "heartbeat" | "policy" | "request" | "response" | "hold" | "ruling" | "delivery" | "recovery" | "access" | "anchor" | "erasure" | "key"; readonly at: string; readonly mono: number; readonly boot: string; readonly prev: string; readonly kid: string; readonly durability: "strict" | "relaxed"; readonly parts: readonly ({ readonly name: string; readonly size: number; readonly c: string; readonly e: string })[]; readonly data: { readonly [name: string]: unknown }; readonly refs: readonly (number)[] };
/** Sealed entries in order. */
export type EntryPage = { readonly items: readonly (Entry)[]; readonly next: number | null };
/** An erasure, and how far it is. */
export type Erasure = { readonly id: string; readonly state: "waiting" | "running" | "done" | "stopped" | "failed"; readonly dryRun: boolean; readonly by: string; readonly basis: "no_longer_needed" | "consent_withdrawn" | "objection" | "unlawful" | "legal_obligation" | "child_consent" | "retention"; readonly scope: { readonly [name: string]: unknown }; readonly decisions: number; readonly erased: number; readonly parts: number; readonly refused: { readonly open: number; readonly legal_hold: number; readonly statutory_minimum: number; readonly exemption: number }; readonly entries: readonly (number)[]; readonly bytesWiped: number; readonly bytesReclaimed: number; readonly startedAt: string; readonly endedAt: string | null; readonly stoppedBy: string | null; readonly error: string | null };
/** What an erasure is about: one decision, a data subject or a class. */
export type ErasureScope = { readonly decision: string } | { readonly subject: string } | { readonly match: { readonly model?: string; readonly operation?: string; readonly provider?: string; readonly workload?: string }; readonly before?: string };
/** The erasures since the sidecar started. */
export type Erasures = { readonly items: readonly (Erasure)[] };
/** A request as the workload sent it, the provider’s answer, and what reviewers put in their place. */
export type Exchange = { readonly request: RequestContent; readonly response: ResponseContent | null; readonly amendedRequest: RequestContent | null; readonly amendedResponse: ResponseContent | null; readonly defects: readonly (string)[] };
/** One hold with everything needed to rule. */
export type Hold = { readonly id: string; readonly decisionId: string; readonly state: "pending" | "released" | "denied" | "amended" | "expired"; readonly phase: "request" | "response"; readonly severity: "low" | "medium" | "high" | "critical"; readonly headline: string; readonly provider: string; readonly operation: string; readonly model: string; readonly workload: string; readonly session: string; readonly stream: boolean; readonly digest: string; readonly contentDigest: string; readonly openedAt: string; readonly expiresAt: string; readonly approvals: { readonly needed: number; readonly given: readonly (string)[]; readonly byRole: readonly ({ readonly needed: number; readonly roles: readonly (string)[]; readonly left: number })[] }; readonly roles: readonly (string)[]; readonly escalation: readonly ({ readonly at: string; readonly roles: readonly (string)[] })[]; readonly breakGlass: readonly (string)[]; readonly requester: string; readonly caller: "waiting" | "gone"; readonly possibleDuplicate: boolean; readonly assignee: string; readonly commentCount: number; readonly outcome: "delivered" | "denied" | "expired" | "released_undelivered" | "client_abort" | "upstream_error" | "upstream_truncated" | "interrupted" | "ledger_unavailable" | "carried" | "reported" | null; readonly rules: readonly ({ readonly id: string; readonly title: string; readonly when: string; readonly severity: "low" | "medium" | "high" | "critical"; readonly error: string; readonly because?: readonly (TruePart)[] })[]; readonly policy: { readonly version: string; readonly digest: string }; readonly rulings: readonly ({ readonly by: string; readonly role: string; readonly verdict: "release" | "deny" | "amend" | "expired"; readonly at: string; readonly withheld: readonly (number)[]; readonly breakGlass: boolean; readonly inStead: string; readonly reason: string | null })[]; readonly notRequester: boolean; readonly escalated: readonly ({ readonly at: string; readonly roles: readonly (string)[] })[]; readonly collectInMs: number; readonly breakGlassCollectInMs: number | null; readonly collectBy: string; readonly actions: { readonly release: string; readonly deny: string; readonly amend: string; readonly amendText: string; readonly releaseCalls: string; readonly breakGlass: string }; readonly inStead: readonly ({ readonly name: string; readonly role: string; readonly actions: { readonly release: string; readonly deny: string; readonly amend: string; readonly amendText: string; readonly releaseCalls: string; readonly breakGlass: string } })[]; readonly comments: readonly ({ readonly by: string; readonly role: string; readonly at: string; readonly text: string | null })[]; readonly review: { readonly by: string; readonly role: string; readonly verdict: "justified" | "unjustified"; readonly at: string; readonly text: string | null } | null; readonly assignments: readonly ({ readonly to: string; readonly by: string; readonly at: string })[]; readonly history: { readonly [name: string]: number }; readonly workloadHolds: readonly ({ readonly id: string; readonly state: "pending" | "released" | "denied" | "amended" | "expired"; readonly severity: "low" | "medium" | "high" | "critical"; readonly openedAt: string; readonly title: string; readonly headline: string })[]; readonly workloadUnreadable: readonly (UnreadableEntry)[]; readonly unreadable: readonly (UnreadableEntry)[]; readonly exchange: Exchange | null };
/** Something happened to a hold. */
export type HoldEvent = { readonly kind: "opened" | "ruled" | "approved" | "caller" | "settled" | "escalated" | "glass-broken" | "commented" | "assigned" | "looking" | "reviewed" | "review-overdue"; readonly id: string; readonly state: "pending" | "released" | "denied" | "amended" | "expired"; readonly caller: "waiting" | "gone"; readonly outcome: "delivered" | "denied" | "expired" | "released_undelivered" | "client_abort" | "upstream_error" | "upstream_truncated" | "interrupted" | "ledger_unavailable" | "carried" | "reported" | null; readonly roles: readonly (string)[]; readonly by: string };
/** Holds, the one that expires first in front. */
export type HoldPage = { readonly items: readonly (HoldSummary)[]; readonly total: number; readonly next: string | null; readonly unreadable: readonly (UnreadableEntry)[]; readonly unreadableEntries: number };
/** A hold in the queue. */
export type HoldSummary = { readonly id: string; readonly decisionId: string; readonly state: "pending" | "released" | "denied" | "amended" | "expired"; readonly phase: "request" | "response"; readonly severity: "low" | "medium" | "high" | "critical"; readonly headline: string; readonly provider: string; readonly operation: string; readonly model: string; readonly workload: string; readonly session: string; readonly stream: boolean; readonly digest: string; readonly contentDigest: string; readonly openedAt: string; readonly expiresAt: string; readonly approvals: { readonly needed: number; readonly given: readonly (string)[]; readonly byRole: readonly ({ readonly needed: number; readonly roles: readonly (string)[]; readonly left: number })[] }; readonly roles: readonly (string)[]; readonly escalation: readonly ({ readonly at: string; readonly roles: readonly (string)[] })[]; readonly breakGlass: readonly (string)[]; readonly requester: string; readonly caller: "waiting" | "gone"; readonly possibleDuplicate: boolean; readonly assignee: string; readonly commentCount: number; readonly outcome: "delivered" | "denied" | "expired" | "released_undelivered" | "client_abort" | "upstream_error" | "upstream_truncated" | "interrupted" | "ledger_unavailable" | "carried" | "reported" | null; readonly rules: readonly ({ readonly id: string; readonly title: string; readonly severity: "low" | "medium" | "high" | "critical" })[] };
/** Who asks. */
export type Identity = { readonly name: string; readonly role: string; readonly permissions: readonly ("see" | "read_content" | "read_ledger" | "rule" | "enrol_key" | "read_erasures" | "read_notifications" | "backtest" | "report")[]; readonly display?: string };
/** Shows that an entry is in the tree of a checkpoint. */
export type InclusionProof = { readonly seq: number; readonly size: number; readonly leafHash: string; readonly root: string; readonly hashes: readonly (string)[]; readonly note: string | null };
/** Which keys the ledger is under; no secret is among them. */
export type Keys = { readonly key: string; readonly kek: string; readonly retiredKeks: readonly (string)[] };
/** A legal hold that stands. */
export type LegalHold = { readonly id: string; readonly seq: number; readonly by: string; readonly reason: string | null; readonly scope: { readonly [name: string]: unknown } };
/** What a legal hold is on. */
export type LegalHoldScope = { readonly decision: string } | { readonly subject: string } | { readonly match: { readonly model?: string; readonly operation?: string; readonly provider?: string; readonly workload?: string } };
/** Every legal hold that stands. */
export type LegalHolds = { readonly items: readonly (LegalHold)[] };
/** Why a legal hold ends. */
export type LiftLegalHold = { readonly reason: string };
/** Whether one has a hold open. */
export type Look = { readonly here: boolean };
/** Who else looks at a hold now. */
export type Lookers = { readonly others: readonly (string)[] };
/** One message of the conversation. */
export type Message = { readonly role: string; readonly text: string; readonly toolCalls: readonly (ToolCall)[] };
/** Who takes care of a hold. */
export type NewAssignment = { readonly to: string | "" };
/** What a reviewer says about a hold. */
export type NewComment = { readonly text: string };
/** That somebody rules in one’s stead until a time. */
export type NewDelegation = { readonly to: string; readonly until: string };
/** An erasure that is asked for. */
export type NewErasure = { readonly scope: ErasureScope; readonly basis: "no_longer_needed" | "consent_withdrawn" | "objection" | "unlawful" | "legal_obligation" | "child_consent"; readonly reason: string; readonly dryRun?: boolean };
/** A legal hold that is to be placed. */
export type NewLegalHold = { readonly scope: LegalHoldScope; readonly reason: string };
/** What somebody finds of a release by one person alone. */
export type NewReview = { readonly verdict: "justified" | "unjustified"; readonly text: string };
/** A key that is to sign a person’s rulings. */
export type NewReviewerKey = { readonly owner: string; readonly key: string; readonly possession: string; readonly reason: string };
/** One message to one receiver; ids and states, never content. */
export type Notification = { readonly id: string; readonly receiver: string; readonly type: "holdpoint.hold.opened" | "holdpoint.hold.reminder" | "holdpoint.hold.ruled" | "holdpoint.hold.expired" | "holdpoint.hold.glass_broken" | "holdpoint.hold.review_overdue" | "holdpoint.test"; readonly severity: "low" | "medium" | "high" | "critical"; readonly holdId: string | null; readonly state: "pending" | "sent" | "dead"; readonly reason: string; readonly queuedAt: string };
/** Messages, the one queued last in front. */
export type NotificationPage = { readonly items: readonly (Notification)[]; readonly total: number; readonly next: string | null };
/** The policy in force. */
export type Policy = { readonly version: string; readonly digest: string; readonly source: string };
/** The policy in force, rule by rule. */
export type PolicyRules = { readonly version: string; readonly digest: string; readonly rules: readonly ({ readonly id: string; readonly title: string; readonly phase: "request" | "response"; readonly when: string; readonly action: "hold" | "deny" | "flag"; readonly severity: "low" | "medium" | "high" | "critical"; readonly hold: { readonly expiresInMs: number; readonly approvals: number; readonly roles: readonly (string)[]; readonly notRequester: boolean; readonly needs?: readonly ({ readonly approvals: number; readonly roles: readonly (string)[] })[]; readonly collectInMs?: number; readonly escalation?: readonly ({ readonly afterMs: number; readonly roles: readonly (string)[] })[]; readonly breakGlass?: { readonly roles: readonly (string)[]; readonly collectInMs: number; readonly reviewInMs?: number } }; readonly tests: readonly ({ readonly name: string; readonly expected: "match" | "no-match" | "error"; readonly actual: "match" | "no-match" | "error"; readonly passed: boolean; readonly message: string })[] })[] };
/** One sealed policy, whole. */
export type PolicyVersion = { readonly seq: number; readonly at: string; readonly version: string; readonly digest: string; readonly result: "loaded" | "refused"; readonly source: string };
/** Each time a policy was loaded or refused, newest first. */
export type PolicyVersionPage = { readonly items: readonly ({ readonly seq: number; readonly at: string; readonly version: string; readonly digest: string; readonly result: "loaded" | "refused" })[]; readonly next: number | null; readonly unreadable: readonly (UnreadableEntry)[] };
/** A refusal, RFC 9457. */
export type Problem = { readonly type: "about:blank"; readonly title: string; readonly status: number; readonly detail: string; readonly code: "bad_request" | "denied_by_policy" | "denied_by_reviewer" | "hold_expired" | "host_not_allowed" | "no_upstream" | "body_too_large" | "upstream_unreachable" | "upstream_truncated" | "response_too_large" | "upstream_timeout" | "held" | "ledger_unavailable" | "overloaded" | "shutting_down" | "invalid_argument" | "unauthenticated" | "forbidden" | "not_found" | "method_not_allowed" | "already_ruled" | "digest_mismatch" | "ruling_expired" | "policy_changed" | "report_differs" | "not_divisible" | "not_amendable" | "signature_required" | "signature_invalid" | "erased" | "erasure_under_way" | "erasure_ended" | "too_many_attempts" | "sign_in_unavailable" | "internal" | "anchor_failed" | "anchor_contradicts" | "usage" | "config_invalid" | "policy_invalid" | "data_dir_locked" | "ledger_rolled_back" | "ledger_damaged" | "sidecar_unreachable"; readonly next: string };
/** An HTTP message as it was sealed. */
export type RawMessage = { readonly startLine: string; readonly headers: readonly (string)[]; readonly body: string };
/** Which dead letter is sent again. */
export type ReplayNotification = { readonly id: string };
/** What became of one line, once that is durable. */
export type ReportLine = { readonly line: number; readonly id: string; readonly status: "sealed" | "known" | "refused"; readonly decision?: string; readonly rules?: readonly (string)[]; readonly code?: "bad_request" | "denied_by_policy" | "denied_by_reviewer" | "hold_expired" | "host_not_allowed" | "no_upstream" | "body_too_large" | "upstream_unreachable" | "upstream_truncated" | "response_too_large" | "upstream_timeout" | "held" | "ledger_unavailable" | "overloaded" | "shutting_down" | "invalid_argument" | "unauthenticated" | "forbidden" | "not_found" | "method_not_allowed" | "already_ruled" | "digest_mismatch" | "ruling_expired" | "policy_changed" | "report_differs" | "not_divisible" | "not_amendable" | "signature_required" | "signature_invalid" | "erased" | "erasure_under_way" | "erasure_ended" | "too_many_attempts" | "sign_in_unavailable" | "internal" | "anchor_failed" | "anchor_contradicts" | "usage" | "config_invalid" | "policy_invalid" | "data_dir_locked" | "ledger_rolled_back" | "ledger_damaged" | "sidecar_unreachable"; readonly detail?: string; readonly next?: string };
/** The last line of an answer; without it the answer was cut off. */
export type ReportSummary = { readonly summary: { readonly lines: number; readonly sealed: number; readonly known: number; readonly refused: number; readonly complete: boolean } };
/** One decision that was made elsewhere, one line of NDJSON. */
export type ReportedDecision = { readonly id: string; readonly at: string; readonly decider: string; readonly outcome: "allowed" | "denied" | "amended" | "failed" | "unknown"; readonly provider?: "openai" | "anthropic" | "azure" | "ollama" | "mistral" | "cohere" | "bedrock" | "gemini" | "vertex"; readonly path?: string; readonly operation?: string; readonly model?: string; readonly request: unknown; readonly answer?: unknown; readonly status?: number; readonly workload?: string; readonly subject?: string; readonly purpose?: string; readonly session?: string; readonly class?: string };
/** A request to a model, as sealed and as understood. */
export type RequestContent = { readonly provider: string; readonly operation: string; readonly method: string; readonly path: string; readonly model: string; readonly stream: boolean; readonly params: { readonly [name: string]: unknown }; readonly system: string; readonly messages: readonly (Message)[]; readonly text: string; readonly tools: readonly ({ readonly name: string; readonly description: string })[]; readonly raw: RawMessage };
/** An answer of a model, as sealed and as understood. */
export type ResponseContent = { readonly status: number; readonly model: string; readonly fingerprint: string; readonly text: string; readonly toolCalls: readonly (ToolCall)[]; readonly finishReason: string; readonly usage: { readonly source: "provider" | "absent"; readonly inputTokens: number; readonly outputTokens: number; readonly totalTokens: number }; readonly refusal: string; readonly streamed: boolean; readonly raw: RawMessage };
/** How long content is kept, as configured, and how far that is. */
export type Retention = { readonly everyHours: number; readonly nextAt: string | null; readonly rules: readonly ({ readonly id: string; readonly match: { readonly [name: string]: string }; readonly keepDays: number | null; readonly minimumDays: number | null; readonly dueBefore: string | null; readonly last: Erasure | null })[]; readonly exemptions: readonly ({ readonly id: string; readonly match: { readonly [name: string]: string }; readonly bases: readonly ("no_longer_needed" | "consent_withdrawn" | "objection" | "unlawful" | "legal_obligation" | "child_consent" | "retention")[] | null })[] };
/** A release by one person alone, and its review. */
export type ReviewDue = { readonly hold: string; readonly decisionId: string; readonly rules: readonly ({ readonly id: string; readonly title: string })[]; readonly by: string; readonly at: string; readonly dueAt: string; readonly state: "open" | "overdue" | "reviewed"; readonly review: { readonly by: string; readonly role: string; readonly verdict: "justified" | "unjustified"; readonly at: string } | null };
/** Releases by one person alone, in their order. */
export type ReviewPage = { readonly items: readonly (ReviewDue)[]; readonly unreadable: readonly (UnreadableEntry)[]; readonly unreadableEntries: number };
/** A key that signs a person’s rulings, or did. */
export type ReviewerKey = { readonly owner: string; readonly key: string; readonly fingerprint: string; readonly seq: number; readonly withdrawn: number | null };
/** Every key that was ever enrolled, in order. */
export type ReviewerKeys = { readonly origin: string; readonly rulings: "accepted" | "signed"; readonly items: readonly (ReviewerKey)[] };
/** A ruling, bound to the digest of the held bytes. */
export type Ruling = { readonly verdict: "release" | "deny" | "amend"; readonly reason?: string; readonly digest: string; readonly breakGlass?: boolean; readonly inStead?: string; readonly calls?: readonly (string)[]; readonly amendment?: { readonly text?: string; readonly toolCalls?: readonly ({ readonly id: string; readonly arguments: unknown })[]; readonly body?: { readonly [name: string]: unknown } } };
/** The same, each ruling with a signature of its own. */
export type SignedBulkRuling = { readonly contentDigest: string; readonly holds: readonly ({ readonly signed: { readonly statement: string; readonly order: string; readonly value: string }; readonly id: string })[] };
/** A ruling with the signature of its reviewer. */
export type SignedRuling = { readonly signed: { readonly statement: string; readonly order: string; readonly value: string } };
/** Milliseconds; null where nothing was counted. */
export type Spread = { readonly count: number; readonly p50: number | null; readonly p90: number | null; readonly max: number | null };
/** Why an erasure is stopped. */
export type StopErasure = { readonly reason: string };
/** A window of time, in numbers. */
export type Summary = { readonly from: string; readonly to: string; readonly countedFrom: string; readonly buckets: readonly ({ readonly at: string; readonly decisions: number; readonly holds: number; readonly released: number; readonly denied: number; readonly amended: number; readonly expired: number; readonly inputTokens: number; readonly outputTokens: number; readonly latencyMs: Spread })[]; readonly outcomes: { readonly [name: string]: number }; readonly reported: number; readonly models: readonly ({ readonly model: string; readonly decisions: number })[]; readonly timeToRuling: Spread; readonly rulingTimes: readonly ({ readonly upToMs: number | null; readonly count: number })[]; readonly latencyMs: Spread; readonly unreadable: readonly (UnreadableEntry)[]; readonly unreadableEntries: number };
/** Which receiver is sent a test. */
export type TestNotification = { readonly receiver: string };
/** One tool call as the model asked for it. */
export type ToolCall = { readonly id: string; readonly name: string; readonly arguments: unknown; readonly argumentsText: string; readonly alsoAs?: readonly ({ readonly name: string; readonly arguments: unknown; readonly argumentsText: string })[] };
/** A part of a rule that made it match. */
export type TruePart = { readonly expression: string; readonly values: readonly ({ readonly path: string; readonly value: string })[] };
/** An entry that is stored and cannot be read, or a run of them. */
export type UnreadableEntry = { readonly seq: number; readonly last: number; readonly decision: string | null; readonly why: string };
/** A key that is to count no more. */
export type WithdrawReviewerKey = { readonly key: string; readonly reason: string };

export type Input = Readonly<Record<string, unknown>>;
export type Send = <Answer>(method: string, path: string, input: Input) => Promise<Answer>;
export type SendForText = (method: string, path: string, input: Input) => Promise<string>;
export type SendLines = <Line>(method: string, path: string, input: Input) => Promise<readonly Line[]>;

/** Every call, by its operationId. */
export function createOperations(send: Send, sendForText: SendForText, sendLines: SendLines) {
  return {
    /** Take a hold, hand it over or give it back. */
    assignHold: (input: { readonly id: string; readonly body: NewAssignment }): Promise<HoldSummary> => send('POST', '/api/v1/holds/{id}/assignment', input),
    /** Replay a draft policy over what was recorded. */
    backtestPolicy: (input: { readonly body: BacktestOrder }): Promise<BacktestPage> => send('POST', '/api/v1/policy/backtest', input),
    /** Let somebody rule in your stead while you are away. */
    beginDelegation: (input: { readonly body: NewDelegation }): Promise<Delegation> => send('POST', '/api/v1/delegations', input),
    /** Change a key of the ledger. */
    changeKeys: (input: { readonly body: { readonly action: "rotate"; readonly reason: string } | { readonly action: "epoch"; readonly reason: string } | { readonly action: "retire"; readonly kek: string; readonly reason: string } | { readonly action: "revoke"; readonly kid: string; readonly size: number; readonly reason: string } }): Promise<Keys> => send('POST', '/api/v1/keys', input),
    /** Say something about a hold. */
    commentOnHold: (input: { readonly id: string; readonly body: NewComment }): Promise<HoldSummary> => send('POST', '/api/v1/holds/{id}/comments', input),
    /** End a delegation before its time. */
    endDelegation: (input: { readonly seq: string; readonly body: { readonly [name: string]: unknown } }): Promise<Delegation> => send('POST', '/api/v1/delegations/{seq}/end', input),
    /** Enrol a key that signs rulings. */
    enrolReviewerKey: (input: { readonly body: NewReviewerKey }): Promise<ReviewerKey> => send('POST', '/api/v1/reviewer-keys', input),
    /** Alive. */
    healthz: (): Promise<{ readonly status: "alive" }> => send('GET', '/healthz', {}),
    /** Lift a legal hold. */
    liftLegalHold: (input: { readonly id: string; readonly body: LiftLegalHold }): Promise<LegalHold> => send('POST', '/api/v1/legal-holds/{id}/lift', input),
    /** Who outside took note of checkpoints lately. */
    listAnchors: (): Promise<Anchors> => send('GET', '/api/v1/ledger/anchors', {}),
    /** What was recorded, newest first. */
    listDecisions: (input: { readonly limit?: number; readonly before?: number; readonly provider?: string; readonly operation?: string; readonly model?: string; readonly workload?: string; readonly session?: string; readonly rule?: string; readonly ruledBy?: string; readonly subject?: string; readonly since?: string; readonly until?: string; readonly verdict?: "pass" | "flag" | "hold" | "deny"; readonly outcome?: "delivered" | "denied" | "expired" | "released_undelivered" | "client_abort" | "upstream_error" | "upstream_truncated" | "interrupted" | "ledger_unavailable" | "carried" | "reported" | "open" } = {}): Promise<DecisionPage> => send('GET', '/api/v1/decisions', input),
    /** Who rules in whose stead. */
    listDelegations: (): Promise<{ readonly items: readonly (Delegation)[] }> => send('GET', '/api/v1/delegations', {}),
    /** Sealed entries in order. */
    listEntries: (input: { readonly from?: number; readonly limit?: number } = {}): Promise<EntryPage> => send('GET', '/api/v1/ledger/entries', input),
    /** Erasures since the sidecar started. */
    listErasures: (): Promise<Erasures> => send('GET', '/api/v1/erasures', {}),
    /** The queue. */
    listHolds: (input: { readonly state?: "pending" | "released" | "denied" | "amended" | "expired"; readonly session?: string; readonly after?: unknown; readonly limit?: number; readonly id?: string } = {}): Promise<HoldPage> => send('GET', '/api/v1/holds', input),
    /** Legal holds that stand. */
    listLegalHolds: (): Promise<LegalHolds> => send('GET', '/api/v1/legal-holds', {}),
    /** Messages to receivers. */
    listNotifications: (input: { readonly state?: "pending" | "sent" | "dead"; readonly before?: unknown; readonly limit?: number } = {}): Promise<NotificationPage> => send('GET', '/api/v1/notifications', input),
    /** Sealed policies, newest first. */
    listPolicyVersions: (input: { readonly limit?: number; readonly before?: number } = {}): Promise<PolicyVersionPage> => send('GET', '/api/v1/policy/versions', input),
    /** Keys that sign rulings. */
    listReviewerKeys: (): Promise<ReviewerKeys> => send('GET', '/api/v1/reviewer-keys', {}),
    /** Releases by one person alone, and their reviews. */
    listReviews: (input: { readonly state?: "open" | "overdue" | "reviewed" } = {}): Promise<ReviewPage> => send('GET', '/api/v1/reviews', input),
    /** Say that one looks at a hold, and see who else does. */
    lookAtHold: (input: { readonly id: string; readonly body: Look }): Promise<Lookers> => send('POST', '/api/v1/holds/{id}/looking', input),
    /** What a retention rule would erase next. */
    lookAtRetention: (input: { readonly rule: string }): Promise<Erasure> => send('POST', '/api/v1/retention/{rule}/dry-run', input),
    /** Prometheus metrics. */
    metrics: (): Promise<string> => sendForText('GET', '/metrics', {}),
    /** This description. */
    openapi: (): Promise<{ readonly [name: string]: unknown }> => send('GET', '/openapi.json', {}),
    /** Place a legal hold. */
    placeLegalHold: (input: { readonly body: NewLegalHold }): Promise<LegalHold> => send('POST', '/api/v1/legal-holds', input),
    /** Proof that nothing sealed earlier has changed. */
    proveConsistency: (input: { readonly from: number; readonly to?: number }): Promise<ConsistencyProof> => send('GET', '/api/v1/ledger/proofs/consistency', input),
    /** Proof that an entry is in the ledger. */
    proveInclusion: (input: { readonly seq: number; readonly size?: number }): Promise<InclusionProof> => send('GET', '/api/v1/ledger/proofs/inclusion', input),
    /** The bodies of a decision. */
    readBodies: (input: { readonly id: string }): Promise<Bodies> => send('GET', '/api/v1/decisions/{id}/body', input),
    /** The checkpoint as C2SP tlog-tiles has it. */
    readCheckpoint: (): Promise<string> => sendForText('GET', '/checkpoint', {}),
    /** The exchange of a decision, as understood. */
    readDecisionExchange: (input: { readonly id: string }): Promise<Exchange> => send('GET', '/api/v1/decisions/{id}/exchange', input),
    /** Ready for calls. */
    readyz: (): Promise<{ readonly status: "ready" }> => send('GET', '/readyz', {}),
    /** Send a dead letter again. */
    replayNotification: (input: { readonly body: ReplayNotification }): Promise<Notification> => send('POST', '/api/v1/notifications/replay', input),
    /** Report decisions that were made elsewhere. */
    reportDecisions: (input: { readonly body: readonly (ReportedDecision)[] }): Promise<readonly (ReportLine | ReportSummary)[]> => sendLines('POST', '/api/v1/decisions:batch', input),
    /** Review a release by one person alone. */
    reviewHold: (input: { readonly id: string; readonly body: NewReview }): Promise<HoldSummary> => send('POST', '/api/v1/holds/{id}/review', input),
    /** Rule on a hold. */
    ruleOnHold: (input: { readonly id: string; readonly body: Ruling | SignedRuling }): Promise<HoldSummary> => send('POST', '/api/v1/holds/{id}/rulings', input),
    /** Rule on many holds of the same bytes. */
    ruleOnHolds: (input: { readonly body: BulkRuling | SignedBulkRuling }): Promise<BulkRuled> => send('POST', '/api/v1/rulings', input),
    /** The signed checkpoint. */
    showCheckpoint: (): Promise<Checkpoint> => send('GET', '/api/v1/ledger/checkpoint', {}),
    /** One decision and its sealed entries. */
    showDecision: (input: { readonly id: string }): Promise<DecisionDetail> => send('GET', '/api/v1/decisions/{id}', input),
    /** How far an erasure is. */
    showErasure: (input: { readonly id: string }): Promise<Erasure> => send('GET', '/api/v1/erasures/{id}', input),
    /** One hold with the whole exchange. */
    showHold: (input: { readonly id: string }): Promise<Hold> => send('GET', '/api/v1/holds/{id}', input),
    /** The policy in force. */
    showPolicy: (): Promise<Policy> => send('GET', '/api/v1/policy', {}),
    /** The rules in force and their tests. */
    showPolicyRules: (): Promise<PolicyRules> => send('GET', '/api/v1/policy/rules', {}),
    /** One sealed policy, whole. */
    showPolicyVersion: (input: { readonly seq: string }): Promise<PolicyVersion> => send('GET', '/api/v1/policy/versions/{seq}', input),
    /** How long content is kept. */
    showRetention: (): Promise<Retention> => send('GET', '/api/v1/retention', {}),
    /** What happened lately, in numbers. */
    showSummary: (input: { readonly hours?: number } = {}): Promise<Summary> => send('GET', '/api/v1/summary', input),
    /** Erase content. */
    startErasure: (input: { readonly body: NewErasure }): Promise<Erasure> => send('POST', '/api/v1/erasures', input),
    /** Stop an erasure. */
    stopErasure: (input: { readonly id: string; readonly body: StopErasure }): Promise<Erasure> => send('POST', '/api/v1/erasures/{id}/stop', input),
    /** Send a test to a receiver. */
    testNotification: (input: { readonly body: TestNotification }): Promise<Notification> => send('POST', '/api/v1/notifications/test', input),
    /** Whom the token belongs to. */
    whoami: (): Promise<Identity> => send('GET', '/api/v1/whoami', {}),
    /** Withdraw a key that signs rulings. */
    withdrawReviewerKey: (input: { readonly body: WithdrawReviewerKey }): Promise<ReviewerKey> => send('POST', '/api/v1/reviewer-keys/withdraw', input),
  };
}
