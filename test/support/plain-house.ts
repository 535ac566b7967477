/** What a data plane needs around it beside its ledger, its holds and its provider, where a test asks nothing of that. */
import { noProxy } from '../../src/core/egress.ts';
import type { House } from '../../src/proxy/house.ts';

const mebibyte = 1024 * 1024;

/** Nothing is larger than a mebibyte, is waited for longer than `msMax`, or drains. */
export function plainHouse(msMax: number) {
  return {
    openSpool: () => Promise.reject(new Error('Nothing here is too large for memory.')),
    egress: noProxy,
    metrics: { callStarted: () => undefined, callEnded: () => undefined, matched: () => undefined },
    fingerprintKey: Buffer.alloc(32, 7),
    fingerprint: (secret) => `fingerprint of ${secret.length}`,
    workloadName: '',
    holdUrl: (id) => `http://control/${id}`,
    draining: new AbortController().signal,
    bounds: {
      ...{ requestBytesMax: mebibyte, batchBytesMax: mebibyte, responseBytesMax: mebibyte },
      ...{ decodedBytesMax: mebibyte, storedBytesMax: mebibyte, passedBytesMax: mebibyte },
      ...{ callerIdleMsMax: msMax, connectMsMax: msMax, socketIdleMsMax: msMax, waitMsMax: msMax },
    },
  } satisfies Partial<House>;
}
