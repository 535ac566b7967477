/** What reviewers do about holds besides ruling on the one on the page: talk, hand over, rule on many, review. */

import type { HoldSummary, Identity } from '../answers/hold-data.ts';
import { type Ruled, togetherText } from '../answers/oversight-data.ts';
import { type Api, ApiError, type RulingRequest } from './api.ts';
import type { Store } from './desk-store.ts';
import { signedForEach } from './signing.ts';

export interface DeskOversight {
  comment(id: string, text: string): Promise<void>;
  /** Says who is on the hold from now on; '' for nobody. */
  assign(id: string, to: string): Promise<void>;
  /** Says whether the hold is open here; who else has it open. */
  look(id: string, here: boolean): Promise<readonly string[]>;
  /** Gives a finding on a release by one person alone. */
  review(id: string, finding: { readonly verdict: string; readonly text: string }): Promise<void>;
  /** Lets somebody rule in one's stead until a time, ISO 8601. */
  beginAbsence(to: string, until: string): Promise<void>;
  endAbsence(seq: number): Promise<void>;
  /**
   * One ruling on all of these, which hold the same bytes, the one on the page among them. Rejects where that one was
   * refused; what became of the others stands on the page.
   */
  ruleOnMany(holds: readonly HoldSummary[], ruling: Pick<RulingRequest, 'verdict' | 'reason'>): Promise<void>;
}

export function createOversight(options: {
  readonly store: Store;
  readonly api: () => Api;
  readonly put: (hold: HoldSummary) => void;
  readonly reread: () => void;
  readonly signedIn: () => Identity;
}): DeskOversight {
  const { store, api, put, reread, signedIn } = options;
  return {
    comment: async (id, text) => put(await api().comment(id, text)),
    assign: async (id, to) => put(await api().assign(id, to)),
    look: (id, here) => api().look(id, here),
    review: async (id, finding) => {
      put(await api().review(id, finding));
      if (store.get().open?.id === id) reread();
    },
    beginAbsence: (to, until) => api().beginAbsence(to, until),
    endAbsence: (seq) => api().endAbsence(seq),
    ruleOnMany: async (holds, ruling) => {
      const contentDigest = holds[0]?.contentDigest ?? '';
      // The page may have turned to another hold before the answer is there.
      const open = store.get().open?.id ?? '';
      const send = async (): Promise<readonly Ruled[]> => {
        const signed = await signedForEach(api(), signedIn(), holds, ruling);
        return api().ruleOnMany(
          signed === null
            ? { contentDigest, ...ruling, holds: holds.map(({ id }) => id) }
            : { contentDigest, holds: signed },
        );
      };
      const ruled = await send().catch((error: unknown) => {
        store.refuse(open, error);
        throw error;
      });
      for (const { hold } of ruled) if (hold !== null) put(hold);
      const mine = ruled.find(({ id }) => id === open);
      const together = togetherText(ruled, open);
      store.setOpen(open, { together });
      if (mine?.hold === null) {
        const refusal = new ApiError(409, '', `${mine.refusal} ${together}`.trim(), '');
        store.refuse(open, refusal);
        throw refusal;
      }
      store.setOpen(open, { panel: null });
    },
  };
}
