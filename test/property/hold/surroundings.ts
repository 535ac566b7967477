/** Where a process lives, and what it does not decide itself: its disk, its time, and when it dies. */
import type { LedgerStore } from '../../../src/ledger/store.ts';
import type { Forwarder } from '../../../src/proxy/forward.ts';
import type { LedgerUnderTest } from '../../fault/ledger-under-test.ts';
import type { ManualTime } from '../../support/time.ts';
import type { RulesFile } from './rules-file.ts';

export interface Surroundings {
  readonly house: LedgerUnderTest;
  readonly time: ManualTime;
  readonly forwarder: (isDead: () => boolean) => Forwarder;
  /** Resolves when the disk takes a commit. */
  readonly mayCommit: () => Promise<void> | undefined;
  /** Resolves when what is sealed of a decision may be read. */
  readonly mayRead: () => Promise<void> | undefined;
  /** Asked at each ruling, and each time that one is used: whether the ledger takes no more entries. */
  readonly isFull: () => boolean;
  readonly mayRule: (name: string) => boolean;
  readonly rules: RulesFile;
  /** With the digest of the policy that was in force at that moment. */
  readonly onSeal: (seq: number, inForce: string) => void;
  readonly onError: (error: unknown) => void;
  /** After an outage of the ledger, once what it holds was read again. */
  readonly onRestored: () => void;
}

/** What a dead process hears. */
export const silence = new Promise<never>(() => undefined);

/** A dead process writes nothing and hears of nothing, also where it died while it wrote. */
export async function openStore(
  { house, mayCommit }: Surroundings,
  life: { readonly dead: boolean },
): Promise<LedgerStore> {
  if (life.dead) return silence;
  const store = await house.disk.open();
  return {
    ...store,
    commit: async (records, sync) => {
      await mayCommit();
      if (life.dead) return silence;
      await store.commit(records, sync).catch((error: unknown) => {
        if (!life.dead) throw error;
      });
      return life.dead ? silence : undefined;
    },
  };
}
