/**
 * Takes the ledger's last durable checkpoint to each anchor, each at its own pace: one that is slow or away delays
 * neither the others nor any sealing. What an anchor acknowledged is remembered durably and sealed as an `anchor`
 * entry. Owns when each anchor is due; the anchors do the talking.
 */
import type { Clock, Schedule } from '../core/clock.ts';
import { HoldpointError } from '../core/errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import {
  type Anchor,
  type AnchorKind,
  anchorContradicts,
  anchorFailed,
  type Checkpoint,
  latestCheckpoint,
  type Receipt,
  receiptCharsMax,
} from './anchor.ts';
import type { AnchorMemory } from './memory.ts';

export interface AnchoringOptions {
  readonly anchors: readonly Anchor[];
  readonly ledger: Pick<Ledger, 'durable' | 'origin' | 'seal'>;
  readonly memory: AnchorMemory;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly everyMs: number;
  /** How long an anchor may take to answer. */
  readonly timeoutMs: number;
  readonly onEvent: (event: AnchorEvent) => void;
}

export type AnchorEvent =
  | { readonly kind: 'acknowledged'; readonly anchor: string; readonly size: number }
  | { readonly kind: 'failed'; readonly anchor: string; readonly error: unknown };

export interface AnchorStatus {
  readonly name: string;
  readonly kind: AnchorKind;
  /** The size it acknowledged last; 0 for none. */
  readonly size: number;
  /** Durable entries that it has not acknowledged; 0 where only anchors' own entries followed. */
  readonly lagEntries: number;
  /**
   * Every entry that was durable longer ago than this is acknowledged; 0 when nothing is due, infinite when the
   * anchor never acknowledged anything of this ledger: one that remembers more than there is remembers another history.
   */
  readonly lagSeconds: number;
}

export interface Anchoring {
  status(): readonly AnchorStatus[];
  /** No more rounds; those on their way may end first, within `lastMsMax`. */
  stop(): Promise<void>;
  /** One last round over what is durable now, after `stop`, within `lastMsMax`; nothing is sealed any more. Never rejects. */
  finish(): Promise<void>;
}

const retryFirstMs = 1_000;
/** A process that ends waits no longer than this, twice. */
const lastMsMax = 4_000;

interface Lane {
  readonly anchor: Anchor;
  size: number;
  /** On the monotonic clock: when nothing was due, or the checkpoint acknowledged last was taken. -Infinity for never. */
  takenUs: number;
  retryMs: number;
  cancel: () => void;
  running: Promise<void>;
}

/** Starts with a round at once: what was sealed while nobody anchored is due. */
export function startAnchoring(options: AnchoringOptions): Anchoring {
  const { ledger, memory, clock, schedule } = options;
  const startedUs = clock.monoUs();
  const startedMs = clock.nowMs();
  let stopping = false;
  let finishing = false;
  /** The run of anchor entries at the ledger's end: they alone make no round due, or there would be no end. */
  let trail = { from: 0, to: 0 };

  const lanes = options.anchors.map((anchor): Lane => {
    const known = memory.of(anchor.name);
    const ageMs = known === undefined ? Number.POSITIVE_INFINITY : Math.max(0, startedMs - known.takenMs);
    return {
      anchor,
      size: known?.size ?? 0,
      takenUs: startedUs - 1000 * ageMs,
      retryMs: retryFirstMs,
      cancel: () => undefined,
      running: Promise.resolve(),
    };
  });
  for (const lane of lanes) lane.running = round(lane);

  function isDue(lane: Lane, size: number): boolean {
    return size > lane.size && !(lane.size >= trail.from && size <= trail.to);
  }

  /** Never rejects; arranges for the next one itself. */
  async function round(lane: Lane): Promise<void> {
    const wentWell = await attempt(lane, options.timeoutMs);
    if (stopping) return;
    const waitMs = wentWell ? options.everyMs : Math.min(lane.retryMs, options.everyMs);
    lane.retryMs = wentWell ? retryFirstMs : 2 * waitMs;
    lane.cancel = schedule(waitMs, () => {
      lane.running = round(lane);
    });
  }

  /** False when the anchor did not take note of what is durable. */
  async function attempt(lane: Lane, timeoutMs: number): Promise<boolean> {
    const { anchor } = lane;
    const checkpoint = latestCheckpoint(ledger);
    const takenUs = clock.monoUs();
    const takenMs = clock.nowMs();
    if (checkpoint === null) return true;
    try {
      if (lane.size > checkpoint.size) {
        throw anchorContradicts(
          `${anchor.name} acknowledged ${lane.size} entries, and the ledger has ${checkpoint.size}.`,
        );
      }
      if (!isDue(lane, checkpoint.size)) {
        lane.takenUs = takenUs;
        return true;
      }
      const receipt = await within(timeoutMs, schedule, (signal) =>
        anchor.send(checkpoint, lane.size, signal),
      );
      if (receipt.text.length > receiptCharsMax)
        throw anchorFailed(`${anchor.name} gave a receipt of over ${receiptCharsMax} characters.`);
      await memory.acknowledge(anchor.name, checkpoint, takenMs, receipt);
      lane.size = checkpoint.size;
      lane.takenUs = takenUs;
      options.onEvent({ kind: 'acknowledged', anchor: anchor.name, size: checkpoint.size });
      if (!finishing) sealAnchor(anchor, checkpoint, receipt);
      return true;
    } catch (error) {
      options.onEvent({ kind: 'failed', anchor: anchor.name, error });
      return false;
    }
  }

  /** The receipt is on disk beside the ledger: an entry that cannot be sealed now loses nothing but its place in it. */
  function sealAnchor(anchor: Anchor, { size, root }: Checkpoint, receipt: Receipt): void {
    const data = {
      anchor: anchor.name,
      kind: anchor.kind,
      receipt: receipt.text,
      root: root.toString('hex'),
      size,
    };
    try {
      const { seq } = ledger.seal({ type: 'anchor', data });
      trail = seq === trail.to ? { from: trail.from, to: seq + 1 } : { from: seq, to: seq + 1 };
    } catch (error) {
      if (!(error instanceof HoldpointError)) throw error;
      options.onEvent({ kind: 'failed', anchor: anchor.name, error });
    }
  }

  return {
    status: () => {
      const { size } = ledger.durable();
      const nowUs = clock.monoUs();
      return lanes.map((lane) => {
        const { name, kind } = lane.anchor;
        if (lane.size > size)
          return { name, kind, size: lane.size, lagEntries: size, lagSeconds: Number.POSITIVE_INFINITY };
        const due = isDue(lane, size);
        const lagEntries = due ? size - lane.size : 0;
        return {
          name,
          kind,
          size: lane.size,
          lagEntries,
          lagSeconds: due ? (nowUs - lane.takenUs) / 1e6 : 0,
        };
      });
    },
    stop: async () => {
      stopping = true;
      for (const lane of lanes) lane.cancel();
      const ended = Promise.all(lanes.map(({ running }) => running));
      const { promise: longEnough, resolve } = Promise.withResolvers<void>();
      const cancel = schedule(lastMsMax, resolve);
      await Promise.race([ended, longEnough]);
      cancel();
    },
    finish: async () => {
      finishing = true;
      const timeoutMs = Math.min(options.timeoutMs, lastMsMax);
      await Promise.all(lanes.map((lane) => attempt(lane, timeoutMs)));
    },
  };
}

/** Gives `task` so long; then its signal says to give up, and whoever waits is told at once. */
async function within<T>(
  ms: number,
  schedule: Schedule,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  const cancel = schedule(ms, () => {
    const error = anchorFailed(`There was no answer within ${ms} ms.`);
    controller.abort(error);
    reject(error);
  });
  try {
    return await Promise.race([task(controller.signal), promise]);
  } finally {
    cancel();
  }
}
