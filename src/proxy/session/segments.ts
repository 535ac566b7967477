/**
 * The segments of one stream, one after the other. Text goes on while it comes where no rule can mind; from the first
 * piece of a call on, everything waits until that call is whole, judged and sealed.
 */
import { HoldpointError } from '../../core/errors.ts';
import type { SegmentEvent, SegmentedStream } from '../../provider/protocol.ts';
import type { House } from '../house.ts';
import { outcomeOfFailure } from '../outcome.ts';
import { requireRecorded } from '../relay.ts';
import { toHoldpointError, writeChunk } from '../respond.ts';
import { breakOff, type Carrier, concludeSegment, openSegment, type Segment } from './segment.ts';

/** All but `close` are false when the stream must not go on: its caller has a refusal, or is gone. */
export interface Segments {
  take(chunk: Buffer): Promise<boolean>;
  /** Ends the segment under way where nothing is parted by that. */
  cut(): Promise<boolean>;
  /** The upstream ended. */
  end(): Promise<boolean>;
  /** Gives what is still open its end, as broken off; `failure` is what ended the stream, null where nothing failed. */
  close(failure: HoldpointError | null): Promise<void>;
  /** Milliseconds until a cut is due; null where none is. */
  waitsMs(): number | null;
  /** A cut would part nothing. */
  isBetween(): boolean;
}

/** From here on a segment is sealed at the next place where nothing is parted. */
const segmentBytesDue = 1024 * 1024;
/** So long a segment stays open whose text goes on as it comes: what a crash leaves without its answer. */
const liveMsDue = 60_000;
/** So long one stays open whose text may not go on before it was judged. */
const waitingMsDue = 2_000;

export function createSegments(carrier: Carrier, stream: SegmentedStream, house: House): Segments {
  const { call } = carrier;
  const { responseBytesMax } = house.bounds;
  let segment: Segment | null = null;

  function leftMs({ live, startedUs }: Segment): number {
    return (live ? liveMsDue : waitingMsDue) - (house.clock.monoUs() - startedUs) / 1000;
  }

  /** A call's pieces are never parted, and those of a text only where no rule reads it. */
  function isParted({ live }: Segment): boolean {
    const within = stream.within();
    return within === 'call' || (within === 'text' && !live);
  }

  function add(into: Segment, { kind, raw, ends }: SegmentEvent): void {
    into.events.push(raw);
    into.bytes += raw.length;
    if (into.bytes > responseBytesMax)
      throw new HoldpointError(
        'response_too_large',
        `More than ${responseBytesMax} bytes of a stream belong together.`,
        'Raise limits.responseBytesMax if such answers are meant.',
      );
    const over = ends || kind === 'end' || kind === 'error';
    into.over ||= over;
    into.withholds ||= over || kind === 'tool' || !into.live;
    if (!into.withholds) into.passable = into.events.length;
  }

  /** Hands on what need not wait. The intent is on disk before. */
  async function passOn(from: Segment): Promise<void> {
    if (from.passable === from.passed || call.caller.gone) return;
    await from.durable;
    requireRecorded(from.decision, house);
    const bytes = Buffer.concat(from.events.slice(from.passed, from.passable));
    from.passed = from.passable;
    from.passedBytes += bytes.length;
    await writeChunk(call.res, bytes);
  }

  async function conclude(whole: Segment): Promise<boolean> {
    if (whole.withholds) await passOn(whole);
    const reading = stream.cut();
    segment = null;
    const concluded = await concludeSegment(carrier, whole, reading, house).catch((thrown: unknown) => {
      // Nobody can come back for it: it ends here, whatever failed.
      house.holds.settle(whole.decision.seq, outcomeOfFailure(toHoldpointError(thrown), call.caller));
      throw thrown;
    });
    if (concluded === 'delivered') stream.delivered();
    return concluded !== 'stopped';
  }

  return {
    take: async (chunk) => {
      stream.push(chunk);
      for (let event = stream.next(); event !== null; event = stream.next()) {
        segment ??= openSegment(carrier, house);
        add(segment, event);
        const due = segment.over || segment.bytes > segmentBytesDue || leftMs(segment) <= 0;
        if (due && !isParted(segment) && !(await conclude(segment))) return false;
      }
      if (segment !== null) await passOn(segment);
      return !call.caller.gone;
    },
    cut: async () => segment === null || isParted(segment) || (await conclude(segment)),
    end: async () => {
      const rest = stream.finish();
      if (rest.length > 0) {
        segment ??= openSegment(carrier, house);
        add(segment, { kind: 'end', raw: rest, ends: true });
      }
      if (!stream.isWhole())
        throw new HoldpointError(
          'upstream_truncated',
          'The upstream ended its stream before its last event.',
          'Retry the call.',
        );
      return segment === null || (await conclude(segment));
    },
    close: async (failure) => {
      if (segment !== null)
        await breakOff(carrier, segment, () => stream.cut(), failure ?? cutShort(), house);
    },
    waitsMs: () => (segment === null || isParted(segment) ? null : Math.max(0, leftMs(segment))),
    isBetween: () => segment === null || !isParted(segment),
  };
}

function cutShort(): HoldpointError {
  return new HoldpointError('shutting_down', 'Holdpoint ended the stream within a segment.');
}
