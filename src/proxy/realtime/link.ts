/** What the two directions of one session share. */
import type { Outcome } from '../../ledger/entry.ts';
import type { Judgement, Policy } from '../../policy/policy.ts';
import type { RequestBodyFacts } from '../../provider/protocol.ts';
import type { SocketMessage, SocketReader } from '../../provider/realtime/dialect.ts';
import type { House } from '../house.ts';
import type { SocketCall } from './socket-call.ts';
import type { Tape } from './tape.ts';

/** What the model has been told was judged, and may go on. */
export interface Approval {
  readonly policy: Policy;
  readonly facts: RequestBodyFacts;
  /** `hold` where a person released it. */
  readonly judgement: Judgement;
}

export interface Link {
  readonly call: SocketCall;
  readonly house: House;
  readonly reader: SocketReader;
  /** The workload is not there any more. */
  readonly gone: AbortSignal;
  approval: Approval | null;
  /** Why nothing reaches the workload any more; null while it is there. */
  undelivered(): Outcome | null;
  /** Why nothing reaches the provider any more; null while it is there. */
  unsent(): Outcome | null;
  /** Milliseconds since the connection was opened. */
  now(): number;
  toClient(message: SocketMessage): Promise<void> | null;
  toUpstream(message: SocketMessage): Promise<void> | null;
  /** What belongs to no exchange yet, which the next one takes over. */
  takeLoose(): Tape;
  /** Where that is taken down. */
  loose(): Tape;
  /** Where what passes now is taken down. */
  tape(): Tape;
}

/** The approval of what the model has been told so far; null where that must be judged anew. */
export function approvalOf({ approval, reader }: Link, policy: Policy): Approval | null {
  if (approval === null || approval.policy !== policy) return null;
  const facts = reader.facts();
  if (facts === approval.facts) return approval;
  return JSON.stringify(facts) === JSON.stringify(approval.facts) ? approval : null;
}

/** What the reader's facts say stands in a sealed request; what was told since, and what follows, is judged on its own. */
export function turnTold(link: Link, recorded: RequestBodyFacts): void {
  link.reader.asked(recorded);
  link.approval = null;
}
