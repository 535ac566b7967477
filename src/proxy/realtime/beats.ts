/**
 * Pings and pongs (RFC 6455 section 5.5.2) go from end to end, so that each side hears whether the other is there.
 * What a ping carries stays here, since no record has it: it goes on under a number, and its pong comes back with it.
 */
import type { Peer } from './peer.ts';

/** Pings that wait for their pong; a peer need not answer any but the last. */
const openMax = 64;
const numberBytes = 4;
const numbersMax = 2 ** 32;
const nothing = Buffer.alloc(0);

type Beating = Pick<Peer, 'beat' | 'onBeat'>;

/** Carries the pings of `from` to the other side, and its pongs back. */
export function carryBeats(from: Beating, to: Beating): void {
  const open = new Map<number, Buffer>();
  let last = 0;
  from.onBeat((kind, data) => {
    if (kind === 'pong') return;
    last = (last + 1) % numbersMax;
    open.set(last, Buffer.from(data));
    for (const number of open.keys()) if (open.size > openMax) open.delete(number);
    const number = Buffer.alloc(numberBytes);
    number.writeUInt32BE(last);
    to.beat('ping', number);
  });
  to.onBeat((kind, data) => {
    if (kind === 'ping') return;
    const number = data.length === numberBytes ? data.readUInt32BE() : -1;
    const carried = open.get(number);
    if (carried === undefined) {
      // One that answers nothing says that its sender is there, and no more.
      from.beat('pong', nothing);
      return;
    }
    open.delete(number);
    from.beat('pong', carried);
  });
}
