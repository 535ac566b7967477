/** What privacy officers do: content that goes, and content that must stay. */
import { type Erasure, readErasure } from '../answers/erasure-data.ts';
import type { Api } from './api.ts';

export type ErasureTarget =
  | { readonly decision: string }
  | { readonly subject: string }
  | { readonly match: Readonly<Record<string, string>>; readonly before?: string };

export interface ErasureOrder {
  readonly scope: ErasureTarget;
  readonly basis: string;
  readonly reason: string;
}

export interface DeskPrivacy {
  /** What it would erase: nothing is sealed or erased. */
  lookAtErasure(order: ErasureOrder): Promise<Erasure>;
  /** Begins it; nobody gets back what it erases. */
  erase(order: ErasureOrder): Promise<Erasure>;
  /** Has one end where it is. */
  stopErasure(id: string, reason: string): Promise<void>;
  /** What the next run of a retention rule would erase. */
  lookAtRetention(rule: string): Promise<Erasure>;
  placeLegalHold(scope: ErasureTarget, reason: string): Promise<void>;
  liftLegalHold(id: string, reason: string): Promise<void>;
}

/** @param ask asks in the session of whoever is signed in. All reject with what the sidecar answered. */
export function createPrivacy(ask: <T>(asking: (asked: Api) => Promise<T>) => Promise<T>): DeskPrivacy {
  const post = (path: string, body: unknown): Promise<unknown> => ask((asked) => asked.post(path, body));
  const start = async (order: ErasureOrder, dryRun: boolean): Promise<Erasure> =>
    readErasure(await post('/api/v1/erasures', { ...order, dryRun }));
  return {
    lookAtErasure: (order) => start(order, true),
    erase: (order) => start(order, false),
    stopErasure: async (id, reason) => {
      await post(`/api/v1/erasures/${encodeURIComponent(id)}/stop`, { reason });
    },
    lookAtRetention: async (rule) =>
      readErasure(await post(`/api/v1/retention/${encodeURIComponent(rule)}/dry-run`, {})),
    placeLegalHold: async (scope, reason) => {
      await post('/api/v1/legal-holds', { scope, reason });
    },
    liftLegalHold: async (id, reason) => {
      await post(`/api/v1/legal-holds/${encodeURIComponent(id)}/lift`, { reason });
    },
  };
}
