/**
 * Memory outside the ledger, as configured: the anchors it is taken to, and the witness it is for others. Part of
 * the composition: configuration -> anchors, schedule, witness -> listener.
 */
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Anchor } from './anchor/anchor.ts';
import { openFileAnchor } from './anchor/append-file.ts';
import { cosignerOf } from './anchor/cosign.ts';
import { type AnchorMemory, openAnchorMemory } from './anchor/memory.ts';
import { isAnchored, requireAnchored } from './anchor/require.ts';
import { type Anchoring, startAnchoring } from './anchor/schedule.ts';
import { openTimestampAnchor } from './anchor/timestamp.ts';
import { openWitness } from './anchor/witness.ts';
import { openWitnessAnchor } from './anchor/witness-client.ts';
import { listenWitness, type WitnessListener } from './anchor/witness-server.ts';
import { type AnchorConfig, placeOf } from './config/anchors.ts';
import type { Environment } from './config/environment.ts';
import { type LoadedConfig, parseAddress } from './config/load.ts';
import { type Clock, type Schedule, systemRandom } from './core/clock.ts';
import type { Egress } from './core/egress.ts';
import { HoldpointError } from './core/errors.ts';
import type { Ledger } from './ledger/ledger.ts';
import { parseWitnessKey } from './ledger/verify/cosignature.ts';
import { parseVerifierKey, type VerifierKey } from './ledger/verify/note.ts';
import { isRefusal, type Refusal } from './ledger/verify/reasons.ts';

import { openAwsCredentials } from './store/aws-credentials.ts';
import { makePrivateDirectory } from './store/directory.ts';
import { loadWitnessKey } from './store/keys.ts';
import type { Logger } from './telemetry/logger.ts';
import type { LabelledGauge, Metrics } from './telemetry/metrics.ts';

export interface OutsideMemory {
  /** The ledger as the data plane sees it. */
  readonly ledger: Ledger;
  /** Why no call is taken for want of anchors; '' when they are. */
  notAnchored(): string;
  gauges(): readonly LabelledGauge[];
  /** Where peers reach the witness; null when it is none. */
  readonly witnessUrl: string | null;
  /** `<name>+<8 hex>+<base64>`; null when it is none. */
  readonly witnessKey: string | null;
  /** No more rounds and no more peers. */
  stop(): Promise<void>;
  /** The last checkpoint, once `stop` is sealed and while the ledger can still be read. Never rejects. */
  finish(): Promise<void>;
}

interface Parts {
  readonly config: LoadedConfig;
  readonly env: Environment;
  readonly egress: Egress;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Opens what is configured. Rejects with `config_invalid`, or when the witness's address is not to be had; then nothing runs. */
export async function openOutsideMemory(parts: Parts): Promise<OutsideMemory> {
  const { config, ledger } = parts;
  const { require, withinMs, quorum } = config.anchors;
  const anchors = await Promise.all(
    Object.entries(config.anchors.to).map(([name, anchor]) => anchorOf(name, anchor, parts)),
  );
  const memory = anchors.length === 0 ? null : openMemory(config, ledger.origin);
  const witness = await openOwnWitness(parts);
  const anchoring = memory === null ? null : start(parts, anchors, memory);
  const isMet = (): boolean =>
    require === 'none' || isAnchored(anchoring?.status() ?? [], { withinMs, quorum });
  return {
    ledger: require === 'none' ? ledger : requireAnchored(ledger, isMet),
    notAnchored: () => (isMet() ? '' : 'the ledger is not anchored'),
    gauges: () => (anchoring?.status() ?? []).flatMap(gaugesOf),
    witnessUrl: witness?.listener.url ?? null,
    witnessKey: witness?.verifierKey ?? null,
    stop: async () => {
      await Promise.all([anchoring?.stop(), witness?.listener.close()]);
    },
    finish: async () => anchoring?.finish(),
  };
}

function start(
  parts: Parts,
  anchors: readonly Anchor[],
  memory: ReturnType<typeof openAnchorMemory>,
): Anchoring {
  const { config, ledger, clock, schedule, log, metrics } = parts;
  const name = 'holdpoint_anchor_failures_total';
  for (const { name: anchor } of anchors)
    for (const code of ['anchor_failed', 'anchor_contradicts']) metrics.declare(name, { anchor, code });
  return startAnchoring({
    anchors,
    ledger,
    memory,
    clock,
    schedule,
    everyMs: config.anchors.everyMs,
    timeoutMs: config.anchors.timeoutMs,
    onEvent: (event) => {
      if (event.kind === 'acknowledged') return;
      const { anchor, error } = event;
      metrics.count(name, { anchor, code: error instanceof HoldpointError ? error.code : 'internal' });
      log.error(`anchor ${anchor} did not take note`, error);
    },
  });
}

function gaugesOf(status: ReturnType<Anchoring['status']>[number]): LabelledGauge[] {
  const labels = { anchor: status.name, kind: status.kind };
  return [
    { name: 'holdpoint_anchor_size', labels, value: status.size },
    { name: 'holdpoint_anchor_lag_entries', labels, value: status.lagEntries },
    { name: 'holdpoint_anchor_lag_seconds', labels, value: status.lagSeconds },
  ];
}

async function anchorOf(
  name: string,
  anchor: AnchorConfig,
  { ledger, clock, env, egress }: Parts,
): Promise<Anchor> {
  const path = `anchors.to.${name}`;
  switch (anchor.kind) {
    case 'file':
      return openFileAnchor(name, resolve(anchor.path), clock);
    case 'witness': {
      const key = keyOrThrow(`${path}.key`, parseWitnessKey(anchor.key));
      return openWitnessAnchor({ name, url: anchor.url, key, tree: ledger.tree, egress });
    }
    case 'timestamp':
      return openTimestampAnchor({ name, url: anchor.url, random: systemRandom, egress });
    case 'bucket': {
      const { url, region, prefix, retainDays } = anchor;
      const credentials = openAwsCredentials(env, path, clock.nowMs);
      // Only where it is needed: Amazon's library takes 2 MB of every sidecar that has it in memory.
      const { openBucketAnchor } = await import('./anchor/bucket.ts');
      return openBucketAnchor({ name, url, region, prefix, retainDays, credentials, clock, egress });
    }
  }
}

function openMemory({ anchors, paths }: LoadedConfig, origin: string): AnchorMemory {
  makePrivateDirectory(paths.anchorsDir);
  const places = Object.entries(anchors.to).map(([name, anchor]) => [name, placeOf(anchor)] as const);
  return openAnchorMemory(paths.anchorsDir, origin, new Map(places));
}

async function openOwnWitness(
  parts: Parts,
): Promise<{ readonly listener: WitnessListener; readonly verifierKey: string } | null> {
  const { config, log, metrics } = parts;
  if (config.witness === undefined) return null;
  const { name, peers, listen } = config.witness;
  const { witnessDir, witnessKey } = config.paths;
  makePrivateDirectory(witnessDir);
  const remembersNothing = readdirSync(witnessDir).length === 0;
  const witness = openWitness({
    directory: witnessDir,
    cosigner: cosignerOf(name, loadWitnessKey(witnessKey, remembersNothing)),
    peers: peers.map((peer, i) => keyOrThrow(`witness.peers.${i}`, parseVerifierKey(peer))),
    clock: parts.clock,
  });
  const listener = await listenWitness({
    ...parseAddress(listen),
    witness,
    onAnswer: (status) => metrics.count('holdpoint_witness_requests_total', { status: String(status) }),
    onError: (what, error) => log.error(what, error),
  });
  return { listener, verifierKey: witness.verifierKey };
}

function keyOrThrow(path: string, key: VerifierKey | Refusal): VerifierKey {
  if (!isRefusal(key)) return key;
  throw new HoldpointError(
    'config_invalid',
    `${path}: ${key.message}.`,
    'Print it where it was made: holdpoint keys show.',
  );
}
