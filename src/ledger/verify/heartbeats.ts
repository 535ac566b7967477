/**
 * Heartbeats and the snapshots that they name: the state before each is worked out here and compared with what was
 * stored. Portable; imports only its own folder.
 */
import { hexEquals } from './encoding.ts';
import type { Leaf } from './leaf.ts';
import type { Pass } from './pass.ts';
import { snapshotEquals, snapshotText } from './snapshot.ts';
import type { TreeRange } from './tree.ts';

type HeartbeatEntry = Extract<Leaf['entry'], { type: 'heartbeat' }>;

/**
 * What its snapshot must say is as long as the decisions that are open. It is worked out once for each block, which
 * has one heartbeat at most, and no more once a snapshot was not what it had to be: who leaves them out or writes them
 * short makes nobody work for them.
 */
export function takeHeartbeat(
  pass: Pass,
  { seq, prev }: Leaf,
  entry: HeartbeatEntry,
  beforeHeartbeats: ReadonlyMap<number, TreeRange>,
): void {
  if (pass.awaited.length > 0) {
    disagree(pass, seq, `entry ${seq} is a second heartbeat of its block`);
    return;
  }
  const range = pass.intact && pass.snapshotsAgree ? beforeHeartbeats.get(seq) : undefined;
  const expected = range === undefined ? undefined : snapshotText(range, prev, pass.decisions);
  pass.awaited.push({ seq, digest: entry.snapshot, expected });
  const open = pass.decisions.open.size;
  if (pass.intact && entry.open !== open)
    disagree(pass, seq, `entry ${seq} says ${entry.open} open decisions, there are ${open}`);
}

/** Takes the snapshot record whose key says `seq`. */
export function takeSnapshot(pass: Pass, seq: number, value: Uint8Array): void {
  const index = pass.awaited.findIndex((awaited) => awaited.seq === seq);
  const awaited = pass.awaited[index];
  if (awaited === undefined) {
    // Once entries are damaged, the heartbeat it belongs to may be one that could not be read.
    if (pass.intact) disagree(pass, seq, `no heartbeat at ${seq} names this snapshot`);
    return;
  }
  pass.awaited.splice(index, 1);
  if (!hexEquals(awaited.digest, pass.primitives.sha256(value))) {
    disagree(pass, seq, `the snapshot at ${seq} is not the one entry ${seq} names`);
  } else if (awaited.expected !== undefined && !snapshotEquals(value, awaited.expected)) {
    disagree(pass, seq, `the snapshot at ${seq} is not the state before entry ${seq}`);
  }
}

/** No further record can belong to the block read last. */
export function endSnapshots(pass: Pass): void {
  for (const { seq } of pass.awaited)
    disagree(pass, seq, `the snapshot that entry ${seq} names is not stored`);
  pass.awaited = [];
}

/** A finding about a snapshot or its heartbeat; the entries themselves hang together all the same. */
function disagree(pass: Pass, seq: number, message: string): void {
  pass.snapshotsAgree = false;
  pass.findings.add('snapshot_mismatch', seq, message);
}
