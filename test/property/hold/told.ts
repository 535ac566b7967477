/** What somebody asked for about a hold, and what they were told. */
import { HoldpointError } from '../../../src/core/errors.ts';
import type { HumanVerdict } from '../../../src/hold/state.ts';

export interface Ruled {
  readonly by: string;
  readonly inStead: string | undefined;
  readonly verdict: HumanVerdict;
  readonly breakGlass: boolean;
  /** It named another digest than that of what is held. */
  readonly astray: boolean;
  readonly hold: number;
  /** Who might rule no more when it was sealed. */
  withdrawn: readonly string[];
  /** Digests of the policies in force when it was asked for, and when it was answered. */
  readonly askedUnder: string;
  answeredUnder: string;
  answer: Answer;
}

/** Something else that somebody did about a hold. */
export interface Acted {
  readonly by: string;
  readonly action: 'comment' | 'assign' | 'review';
  readonly hold: number;
  answer: Answer;
}

/** `sealed`, or the code it was refused with; `waits` until then, and `cut off` where the process died first. */
export type Answer = 'sealed' | 'waits' | 'cut off' | HoldpointError['code'];

/** Whoever was told so knows only what the record says, once it can be read: the process or its disk failed meanwhile. */
export function isUnknown(answer: Answer): boolean {
  return answer === 'cut off' || answer === 'ledger_unavailable';
}

export interface Told {
  /** Sealed rulings name their place here. */
  readonly rulings: Ruled[];
  readonly acts: Acted[];
  /** Keeps what becomes of a task that somebody asked a process for. */
  keep(record: { answer: Answer }, asked: { readonly dead: boolean }, task: Promise<unknown>): void;
  /** The process died: who waits hears nothing from it. */
  cutOff(): void;
  /** How many wait. */
  waiting(): number;
}

export function createTold(onError: (error: unknown) => void): Told {
  const rulings: Ruled[] = [];
  const acts: Acted[] = [];
  const waiting = new Set<{ answer: Answer }>();

  async function keepOne(
    record: { answer: Answer },
    asked: { readonly dead: boolean },
    task: Promise<unknown>,
  ): Promise<void> {
    waiting.add(record);
    let answer: Answer = 'sealed';
    try {
      await task;
    } catch (error) {
      if (asked.dead) return;
      if (!(error instanceof HoldpointError)) throw error;
      answer = error.code;
    } finally {
      waiting.delete(record);
    }
    if (!asked.dead) record.answer = answer;
  }

  return {
    rulings,
    acts,
    keep: (record, asked, task) => {
      keepOne(record, asked, task).catch(onError);
    },
    cutOff: () => {
      for (const record of waiting) record.answer = 'cut off';
      waiting.clear();
    },
    waiting: () => waiting.size,
  };
}
