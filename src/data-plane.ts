/** The data plane put together: the house that calls pass through, its listener, and the other ways in. */
import { parseAddress } from './config/load.ts';
import type { Parts } from './parts.ts';
import { createForwarder } from './proxy/forward.ts';
import type { House } from './proxy/house.ts';
import { createKeptAnswers } from './proxy/kept-answers.ts';
import { createLetThrough } from './proxy/let-through.ts';
import { listenProxy } from './proxy/listener.ts';
import { createSpools } from './store/spool.ts';
import { onCallEnd } from './told.ts';
import { openWaysIn, type WaysIn } from './ways-in.ts';

export interface DataPlane {
  readonly url: string;
  readonly waysIn: Omit<WaysIn, 'close'>;
  /** Calls that have begun and not ended. */
  inFlight(): number;
  /** Takes no more calls, ends what has no end of its own, and gives running calls `graceMs` before it cuts them. */
  close(graceMs: number): Promise<void>;
}

/**
 * Listens for workloads. Rejects with `config_invalid` where an address is taken; then nothing listens. `controlUrl` is
 * where the workload would reach the control port.
 */
export async function startDataPlane(parts: Parts, controlUrl: () => string): Promise<DataPlane> {
  const { config, metrics } = parts;
  const { limits } = config;
  let inFlight = 0;
  const draining = new AbortController();
  const forwarder = createForwarder(
    {
      idleMsMax: limits.upstreamIdleMsMax,
      connectMsMax: limits.upstreamConnectMsMax,
      connectionsMax: limits.upstreamConnectionsMax,
      codedBytesMax: limits.responseBytesMax,
      decodedBytesMax: limits.decodedBytesMax,
    },
    parts.egress,
    parts,
  );
  const house: House = {
    ledger: parts.outside.ledger,
    holds: parts.holds,
    policy: parts.policyFile.current,
    forwarder,
    egress: parts.egress,
    openSpool: createSpools(config.paths.spoolDir, {
      bodyBytesMax: limits.passedBytesMax,
      totalBytesMax: limits.spoolBytesMax,
    }),
    keptAnswers: createKeptAnswers(parts.holds, parts.onError),
    letThrough: createLetThrough(),
    upstreams: parts.upstreams,
    clock: parts.clock,
    schedule: parts.schedule,
    metrics: {
      callStarted: () => {
        inFlight += 1;
      },
      callEnded: (call) => {
        inFlight -= 1;
        onCallEnd(call, parts.log, metrics);
      },
      matched: (rule, action) => metrics.count('holdpoint_rule_matches_total', { rule, action }),
    },
    onError: parts.onError,
    fingerprintKey: parts.fingerprintKey,
    fingerprint: parts.fingerprint,
    workloadName: config.workload.name,
    holdUrl: (holdId) => `${controlUrl()}/api/v1/holds/${holdId}`,
    draining: draining.signal,
    bounds: {
      requestBytesMax: limits.requestBytesMax,
      batchBytesMax: limits.batchBytesMax,
      responseBytesMax: limits.responseBytesMax,
      decodedBytesMax: limits.decodedBytesMax,
      // What may not pass is not stored either, and only what goes beyond this is counted as it comes.
      storedBytesMax: Math.min(limits.storedBytesMax, limits.passedBytesMax),
      passedBytesMax: limits.passedBytesMax,
      callerIdleMsMax: limits.callerIdleMsMax,
      waitMsMax: limits.waitMsMax,
      connectMsMax: limits.upstreamConnectMsMax,
      socketIdleMsMax: limits.upstreamIdleMsMax,
    },
  };
  const listener = await listenProxy(parseAddress(config.proxy.listen), house);
  const waysIn = await openWaysIn(parts, house, listener).catch(async (error: unknown) => {
    await listener.drain(0);
    throw error;
  });
  return {
    url: listener.url,
    waysIn,
    inFlight: () => inFlight,
    close: async (graceMs) => {
      waysIn.close();
      draining.abort();
      await listener.drain(graceMs);
      await house.keptAnswers.close();
      await forwarder.close();
    },
  };
}
