/** What the pipeline is given: the parts of the house it works with. Built by the composition root. */
import type { Clock, Schedule } from '../core/clock.ts';
import type { Egress } from '../core/egress.ts';
import type { OpenSpool } from '../core/spool.ts';
import type { HoldQueue } from '../hold/queue.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Policy } from '../policy/policy.ts';
import type { CallBounds } from './call.ts';
import type { Forwarder } from './forward.ts';
import type { KeptAnswers } from './kept-answers.ts';
import type { LetThrough } from './let-through.ts';
import type { Upstream } from './upstream.ts';

export interface EndedCall {
  readonly operation: string;
  /** The HTTP status given to the caller, or 0 when it left. */
  readonly status: number;
  readonly seconds: number;
  /** The decision's id; null where nothing was sealed, because nothing could be or was to be. */
  readonly decision: string | null;
}

/** Counted and logged by telemetry; carries no content. */
export interface ProxyMetrics {
  callStarted(): void;
  callEnded(call: EndedCall): void;
  matched(rule: string, action: string): void;
}

export interface House {
  readonly ledger: Ledger;
  readonly holds: HoldQueue;
  /** The policy in force at this moment. */
  readonly policy: () => Policy;
  readonly forwarder: Forwarder;
  readonly egress: Egress;
  readonly openSpool: OpenSpool;
  readonly keptAnswers: KeptAnswers;
  readonly letThrough: LetThrough;
  readonly upstreams: readonly Upstream[];
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly metrics: ProxyMetrics;
  readonly onError: (what: string, error: unknown) => void;
  /** Keys the fingerprints that are sealed in place of credentials, subjects and bodies. */
  readonly fingerprintKey: Buffer;
  readonly fingerprint: (secret: string) => string;
  readonly workloadName: string;
  /** Where the control port shows the hold of this id. */
  readonly holdUrl: (holdId: string) => string;
  /** Fires when the sidecar stops: what has no end of its own ends then. */
  readonly draining: AbortSignal;
  readonly bounds: CallBounds & {
    /** Of an answer that rules read. */
    readonly responseBytesMax: number;
    /** Of a body that no rule reads, either way. */
    readonly passedBytesMax: number;
    /** The longest a caller takes and sends nothing. */
    readonly callerIdleMsMax: number;
    /** The longest a caller waits on a hold before it is told to ask again. */
    readonly waitMsMax: number;
    /** Of a WebSocket: to be open, and silence on both sides. */
    readonly connectMsMax: number;
    readonly socketIdleMsMax: number;
  };
}
