/** An erasure on the desk, from the moment that it is asked for. */
import type { HoldpointError } from '../core/errors.ts';
import type { ErasureProgress } from './progress.ts';
import type { ErasureOrder, ErasureStop } from './run.ts';

export interface ErasureJob {
  /** 16 hex; what its entries share. */
  readonly id: string;
  readonly order: ErasureOrder;
  readonly progress: ErasureProgress;
  readonly startedAtMs: number;
  endedAtMs: number | null;
  state: 'waiting' | 'running' | 'done' | 'stopped' | 'failed';
  /** Who asked that it ends where it is; null while nobody did. */
  stop: ErasureStop | null;
  /** Why it failed; null otherwise. */
  error: HoldpointError | null;
}
