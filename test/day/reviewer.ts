/** Somebody who rules on whatever waits: mostly for it, now and then against it or otherwise. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createControl, type HeldCall, type Ruling } from '../support/control-client.ts';
import { amendedAmount } from './cases.ts';
import type { Morning } from './morning.ts';
import { unlessKilled } from './orders.ts';

const lookEveryMs = 10;
const denied = 0.2;
const amended = 0.2;

/** Rules until the day is over; `ruled` is called for each ruling that was taken. */
export async function review(day: Morning, isOver: () => boolean, ruled: () => void): Promise<void> {
  while (!isOver()) {
    const { controlUrl } = await day.sidecar();
    const control = createControl(controlUrl, day.house.token);
    const rulingOn = async (hold: HeldCall): Promise<Ruling> => {
      const drawn = day.random();
      if (drawn < denied) return { verdict: 'deny' };
      if (drawn > denied + amended || hold.phase === 'request') return { verdict: 'release' };
      const toolCalls = (await control.callIdsOf(hold)).map((id) => ({
        id,
        arguments: { amount: amendedAmount, to: 'DE89' },
      }));
      return { verdict: 'amend', amendment: { toolCalls } };
    };
    await unlessKilled(day, async () => {
      for (const hold of await control.holds('pending')) {
        const { status, code } = await control.rule(hold, await rulingOn(hold));
        if (status === 201) ruled();
        // What it was about may have been erased meanwhile, or its time have come; nothing else may refuse it.
        else if (status !== 409) throw new Error(`a ruling was refused with ${status} ${code}`);
      }
    });
    await sleep(lookEveryMs);
  }
}
