/** What the sidecar is made of once its ledger is open, as its two planes take it. */
import type { LoadedConfig } from './config/load.ts';
import type { Clock, Schedule } from './core/clock.ts';
import type { Egress } from './core/egress.ts';
import type { ErasureDesk } from './erasure/desk.ts';
import type { Delegations } from './hold/delegations.ts';
import type { HoldQueue } from './hold/queue.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { Notifier } from './notify/notifier.ts';
import type { OutsideMemory } from './outside-memory.ts';
import type { PolicyFile } from './policy-file.ts';
import type { LookUp } from './proxy/intercept/address.ts';
import type { Upstream } from './proxy/upstream.ts';
import type { SignInOptions } from './sign-in.ts';
import type { Keyring } from './store/keyring.ts';
import type { Logger } from './telemetry/logger.ts';
import type { Metrics } from './telemetry/metrics.ts';
import type { TokenBook } from './token-book.ts';

export interface Parts {
  readonly config: LoadedConfig;
  readonly upstreams: readonly Upstream[];
  readonly egress: Egress;
  readonly signIn: SignInOptions;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly lookUp: LookUp;
  readonly ledger: Ledger;
  readonly outside: OutsideMemory;
  readonly holds: HoldQueue;
  readonly delegations: Delegations;
  readonly notifier: Notifier;
  readonly erasures: ErasureDesk;
  readonly tokens: TokenBook;
  readonly policyFile: PolicyFile;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly onError: (what: string, error: unknown) => void;
  readonly keyring: Keyring;
  /** Credentials by a name that nobody can turn back. */
  readonly fingerprint: (secret: string) => string;
  readonly fingerprintKey: Buffer;
}
