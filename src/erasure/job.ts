/** An erasure on the desk, from the moment that it is asked for. */
import type { HoldpointError } from '../core/errors.ts';
import type { ErasureOrder, ErasureProgress } from './run.ts';

export interface ErasureJob {
  /** 16 hex; what its entries share. */
  readonly id: string;
  readonly order: ErasureOrder;
  readonly progress: ErasureProgress;
  readonly startedAtMs: number;
  endedAtMs: number | null;
  state: 'waiting' | 'running' | 'done' | 'failed';
  /** Why it failed; null otherwise. */
  error: HoldpointError | null;
}
