/** A clock, timers and randomness that tests own, holds that happen on command, and a web server that remembers. */
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HoldEvent } from '../../src/hold/desk.ts';
import type { Hold } from '../../src/hold/record.ts';
import { openState } from '../../src/hold/state.ts';
import type { NotifierOptions } from '../../src/notify/notifier.ts';

export const startMs = Date.UTC(2026, 10, 26, 10);

export function testHold(seq: number, severity: 'low' | 'high' = 'high'): Hold {
  return {
    seq,
    id: `h-0a1b2c3d-${seq}`,
    decision: seq - 1,
    phase: 'response',
    rules: [{ id: 'large-transfer', title: 'Transfers need a reviewer', when: 'true', severity, error: '' }],
    policyDigest: '',
    policyVersion: 'test',
    openedAtMs: startMs,
    retryKey: '',
    response: null,
    passedBytes: 0,
    state: openState({
      approvals: 1,
      roles: ['reviewer'],
      notRequester: false,
      requester: '',
      digest: '',
      expiresAtMs: startMs + 900_000,
    }),
    ruling: null,
    releaseDigest: '',
    collectByMs: 0,
    deliveryAttempts: 0,
    lastAttemptAtMs: 0,
    attached: true,
    possibleDuplicate: false,
    comments: [],
    assignments: [],
    review: null,
    mayHaveArrived: false,
    outcome: null,
  };
}

export function testHolds(pending: readonly Hold[] = []) {
  let listener: (event: HoldEvent) => void = () => undefined;
  const all = [...pending];
  return {
    list: () => all,
    subscribe: (given: (event: HoldEvent) => void) => {
      listener = given;
      return () => {
        listener = () => undefined;
      };
    },
    open: (hold: Hold): void => {
      all.push(hold);
      listener({ kind: 'opened', by: '', hold });
    },
    rule: (hold: Hold, status: 'released' | 'expired'): void => {
      hold.state = { ...hold.state, status };
      listener({ kind: 'ruled', by: '', hold });
    },
    alert: (kind: 'glass-broken' | 'review-overdue', hold: Hold): void =>
      listener({ kind, by: 'olga', hold }),
  };
}

/** Time that goes on only when told; timers that are due run in order. */
export function testTime() {
  let nowMs = startMs;
  let aheadMs = 0;
  let timers: { atMs: number; fn: () => void }[] = [];
  return {
    clock: { nowMs: () => nowMs + aheadMs, monoUs: () => nowMs * 1000 },
    /** Sets the wall clock ahead; no time goes by. */
    jump: (ms: number): void => {
      aheadMs += ms;
    },
    schedule: (ms: number, fn: () => void) => {
      const timer = { atMs: nowMs + ms, fn };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    /** Milliseconds until the next timer within `boundMs`; null when there is none. */
    nextWithin: (boundMs: number): number | null => {
      const waits = timers.map(({ atMs }) => atMs - nowMs).filter((ms) => ms <= boundMs);
      return waits.length === 0 ? null : Math.min(...waits);
    },
    advance: (ms: number): void => {
      nowMs += ms;
      const due = timers.filter(({ atMs }) => atMs <= nowMs).sort((a, b) => a.atMs - b.atMs);
      timers = timers.filter((timer) => !due.includes(timer));
      for (const { fn } of due) fn();
    },
  };
}

export interface Got {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Answers each request with what `answer` says and keeps it. */
export async function startReceiver(
  answer: (n: number) => { status: number; headers?: Record<string, string> },
) {
  const got: Got[] = [];
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      got.push({ path: req.url ?? '', headers: req.headers, body: Buffer.concat(chunks).toString('utf8') });
      const { status, headers = {} } = answer(got.length);
      res.writeHead(status, headers).end('secret words of the receiver');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}/hook`,
    got,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export function newDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'holdpoint-notify-'));
}

export const plain: Pick<
  NotifierOptions,
  'decisionId' | 'random' | 'remindBeforeMs' | 'timeoutMs' | 'giveUpAfterMs' | 'queueMax'
> = {
  decisionId: (seq) => `d-0a1b2c3d-${seq}`,
  random: (length) => Buffer.alloc(length),
  remindBeforeMs: [300_000],
  timeoutMs: 5_000,
  giveUpAfterMs: 3_600_000,
  queueMax: 100,
};
