/** What the control plane's routes are given. Built by the composition root. */
import type { Clock } from '../core/clock.ts';
import type { OtherNames } from '../core/people.ts';
import type { RoleBook } from '../core/roles.ts';
import type { ErasureDesk } from '../erasure/desk.ts';
import type { Delegations } from '../hold/delegations.ts';
import type { HoldQueue } from '../hold/queue.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { Policy } from '../policy/policy.ts';
import type { Keyring } from '../store/keyring.ts';
import type { createSummaries } from './hold-summaries.ts';

export interface ControlParts {
  readonly ledger: Ledger;
  readonly holds: HoldQueue;
  readonly delegations: Delegations;
  readonly erasures: ErasureDesk;
  readonly notifier: Notifier;
  /** The role of whoever has a token of this name; null where nobody has. */
  readonly roleOf: (name: string) => string | null;
  /** What is sealed in place of a data subject's name. */
  readonly fingerprint: (subject: string) => string;
  readonly keyring: Keyring;
  readonly policy: () => Policy;
  readonly summaryOf: ReturnType<typeof createSummaries>;
  readonly clock: Clock;
  /** Of the data plane: what is not urgent gives way to them. */
  readonly callsInFlight: () => number;
  /** The roles there are, configured ones included. */
  readonly roles: RoleBook;
  /** The same person by other ways in: they count once. */
  readonly otherNames: OtherNames;
  /** Whether a ruling needs its reviewer's signature. */
  readonly rulings: 'accepted' | 'signed';
  /** Keys of reviewers whose withdrawal was handed to the ledger, durable or not. Whoever withdraws adds them. */
  readonly withdrawnKeys: Set<string>;
  /** The Prometheus page. */
  readonly metricsPage: () => string;
  /** Why the sidecar is not ready, or ''. */
  readonly notReady: () => string;
  readonly onError: (what: string, error: unknown) => void;
}
