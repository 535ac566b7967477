/** A receiver of notices: how one is told, and how a failure reads. Secrets never stand in what it says. */
import type { Notice } from './notice.ts';

export interface Receiver {
  readonly name: string;
  /** Resolves once the receiver has taken it; rejects with NotTaken. */
  deliver(notice: Notice, signal: AbortSignal): Promise<void>;
}

/** Why a receiver did not take a notice. `reason` comes from a closed vocabulary: no address, no secret, no answer body. */
export class NotTaken extends Error {
  override readonly name = 'NotTaken';
  /** The receiver will never take it: there is no use in trying again. */
  readonly isFinal: boolean;
  /** How long the receiver asked to be left alone; 0 when it did not say. */
  readonly waitMs: number;

  constructor(reason: string, about: { readonly isFinal?: boolean; readonly waitMs?: number } = {}) {
    super(reason);
    this.isFinal = about.isFinal ?? false;
    this.waitMs = about.waitMs ?? 0;
  }
}
