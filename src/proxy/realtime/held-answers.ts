/**
 * Answers of one connection that wait for a person, each with what must not overtake it. A ruling is carried out when
 * it comes; meanwhile everything else goes on.
 */
import { HoldpointError } from '../../core/errors.ts';
import type { WaitResult } from '../../hold/live.ts';
import type { Hold } from '../../hold/record.ts';
import type { SocketMessage } from '../../provider/realtime/dialect.ts';
import { amendedMessages } from './amended.ts';
import {
  beginDelivery,
  type Exchange,
  leaveHeld,
  orLeaveHeld,
  type SealedAnswer,
  settle,
  settledElsewhere,
  waitForRuling,
  withheldTooLarge,
} from './exchange.ts';
import type { Link } from './link.ts';

export interface HeldAnswers {
  /** Holds an answer that was sealed. Throws `overloaded` where too many are. */
  hold(exchange: Exchange, answer: string, sealed: SealedAnswer): void;
  /** Keeps a message behind answers; false where none of them is held. Throws where too many or too much would wait there. */
  follow(after: readonly string[], message: SocketMessage, survives: boolean): boolean;
  /** Resolves once none is held any more. */
  over(): Promise<void>;
}

/** How the workload hears of it. */
export interface Told {
  send(messages: readonly SocketMessage[]): Promise<void>;
  deny(answer: string, code: HoldpointError['code'], message: string): Promise<void>;
}

const heldMax = 64;
/** Messages that may not overtake one of them. */
const followersMax = 4_096;

interface Held {
  /** What must not overtake the answer; what does not survive goes only where that went. */
  readonly followers: { readonly message: SocketMessage; readonly survives: boolean }[];
  /** Of those that came. */
  followerBytes: number;
}

export function createHeldAnswers(
  link: Link,
  { send, deny }: Told,
  fail: (thrown: unknown) => void,
): HeldAnswers {
  const { house, call, reader } = link;
  const held = new Map<string, Held>();
  const tasks = new Set<Promise<void>>();

  function hold(exchange: Exchange, answer: string, sealed: SealedAnswer): void {
    if (held.size >= heldMax) {
      settle(exchange, 'interrupted', house);
      throw new HoldpointError('overloaded', `More than ${heldMax} answers of one connection are held.`);
    }
    held.set(answer, { followers: [], followerBytes: 0 });
    const task = awaitRuling(exchange, answer, sealed)
      .catch(fail)
      .finally(() => tasks.delete(task));
    tasks.add(task);
  }

  async function awaitRuling(exchange: Exchange, answer: string, sealed: SealedAnswer): Promise<void> {
    const { judgement, digest, seq } = sealed;
    const about = { phase: 'response', judgement, digest, response: seq } as const;
    const ruled = await waitForRuling(call, exchange, about, link.gone, house);
    const carried = await carryOut(exchange, answer, ruled);
    const followers = held.get(answer)?.followers ?? [];
    // While one goes out further ones may come, which must not overtake those that are left.
    for (let next = followers.shift(); next !== undefined; next = followers.shift())
      if (carried === 'released' || next.survives) await send([next.message]);
    held.delete(answer);
    // Of an amended call the workload knows the new arguments: the provider's own stay unknown to it.
    if (carried !== 'stopped') reader.settle(answer, carried === 'released');
  }

  async function carryOut(
    exchange: Exchange,
    answer: string,
    { hold, result }: { readonly hold: Hold; readonly result: WaitResult },
  ): Promise<'released' | 'amended' | 'stopped'> {
    switch (result) {
      case 'released':
      case 'amended': {
        if (link.undelivered() !== null) break;
        const messages = await orLeaveHeld(exchange, hold, house, async () => {
          const due = result === 'released' ? exchange.withheld : await amendedMessages(hold, house);
          await beginDelivery(hold, house);
          return due;
        });
        // The delivery is on disk: the withheld messages may go out, once.
        await send(messages);
        if (link.undelivered() !== null) break;
        settle(exchange, 'delivered', house);
        house.holds.detach(hold);
        return result;
      }
      case 'denied':
        settledElsewhere(exchange, 'denied', house);
        await deny(answer, 'denied_by_reviewer', 'A reviewer denied this call.');
        return 'stopped';
      case 'expired':
        settledElsewhere(exchange, 'expired', house);
        await deny(answer, 'hold_expired', 'Nobody ruled on this call in time.');
        return 'stopped';
      case 'pending':
        // Its time is over, and that could not be sealed: the workload must not wait for ever.
        if (!link.gone.aborted) await deny(answer, 'hold_expired', 'Nobody ruled on this call in time.');
        break;
      case 'shutdown':
        break;
    }
    leaveHeld(exchange, hold, house);
    reader.settle(answer, false);
    return 'stopped';
  }

  function follow(after: readonly string[], message: SocketMessage, survives: boolean): boolean {
    const before = after.flatMap((answer) => held.get(answer) ?? []);
    if (before.length === 0) return false;
    // On no other answer's tape: what stands there as withheld goes out with an amendment of that one.
    const kept = link.loose().add(message, 'server', 'withheld', link.now());
    for (const one of before) {
      one.followers.push({ message: kept, survives });
      one.followerBytes += kept.data.length;
      if (one.followers.length > followersMax)
        throw new HoldpointError('overloaded', `More than ${followersMax} messages wait behind a held call.`);
      if (one.followerBytes > house.bounds.responseBytesMax) throw withheldTooLarge(house);
    }
    return true;
  }

  return {
    hold,
    follow,
    over: async () => {
      await Promise.all(tasks);
    },
  };
}
