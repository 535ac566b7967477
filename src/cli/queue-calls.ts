/**
 * What the keys of the interactive queue ask for, carried out one call at a time in the order of the keys. Every answer
 * meets the state as it is by then: keys were pressed while it was on its way. No terminal.
 */
import { HoldpointError, messageOf } from '../core/errors.ts';
import type { Detail } from './hold-answers.ts';
import type { Order } from './queue-prompt.ts';
import {
  type Effect,
  isOutdated,
  type Listed,
  type QueueState,
  withItems,
  withReread,
  withRuled,
  withShown,
} from './queue-state.ts';

export interface QueueCalls {
  carryOut(effect: Exclude<Effect, { kind: 'quit' }>): void;
  refresh(): void;
  /** Resolves once nothing is under way. */
  done(): Promise<void>;
}

export interface QueueCallsOptions {
  /** The sidecar. */
  readonly ask: {
    readonly list: () => Promise<{ readonly items: readonly Listed[]; readonly total: number }>;
    readonly hold: (id: string) => Promise<Detail>;
    readonly rule: (id: string, ruling: Order & { readonly digest: string }) => Promise<void>;
  };
  readonly change: (next: (state: QueueState) => QueueState) => void;
  readonly onRuled: (said: string) => void;
  /** Hears of what no page can say: the sidecar is gone, or the reader is. */
  readonly onFailure: (error: unknown, what: 'show' | 'rule' | 'refresh') => void;
  /** Whether the reader has left. */
  readonly isOver: () => boolean;
}

export function createQueueCalls({ ask, change, onRuled, onFailure, isOver }: QueueCallsOptions): QueueCalls {
  let calls: Promise<void> = Promise.resolve();
  /** More than one that waits would only make the reader's own calls wait. */
  let isRefreshDue = false;

  /** A refusal is something to read. */
  function failed(error: unknown, what: 'show' | 'rule' | 'refresh'): void {
    if (isOver() || !(error instanceof HoldpointError) || error.code === 'sidecar_unreachable')
      onFailure(error, what);
    else change((state) => ({ ...state, said: `${messageOf(error)} ${error.next}` }));
  }

  async function show(id: string): Promise<void> {
    try {
      const hold = await ask.hold(id);
      change((state) => withShown(state, hold));
    } catch (error) {
      change((state) => (state.opening === id ? { ...state, opening: '' } : state));
      throw error;
    }
  }

  async function rule({ id, digest, order }: Extract<Effect, { kind: 'rule' }>): Promise<void> {
    await ask.rule(id, { ...order, digest });
    const what = order.breakGlass === true ? 'broken glass' : order.verdict;
    const said = `${id}: your ${what} is sealed.`;
    onRuled(said);
    if (isOver()) return;
    change((state) => withRuled(state, id, said));
    await refresh();
  }

  async function refresh(): Promise<void> {
    const { items, total } = await ask.list();
    let outdated = '';
    change((state) => {
      const next = withItems(state, items, total);
      outdated = isOutdated(next) ? (next.open?.hold.id ?? '') : '';
      return next;
    });
    if (outdated === '') return;
    const hold = await ask.hold(outdated);
    change((state) => withReread(state, hold));
  }

  function next(call: () => Promise<void>, what: 'show' | 'rule' | 'refresh'): void {
    calls = calls.then(call).catch((error: unknown) => failed(error, what));
  }

  return {
    carryOut: (effect) => next(() => (effect.kind === 'show' ? show(effect.id) : rule(effect)), effect.kind),
    refresh: () => {
      if (isRefreshDue) return;
      isRefreshDue = true;
      next(() => {
        isRefreshDue = false;
        return refresh();
      }, 'refresh');
    },
    done: () => calls,
  };
}
