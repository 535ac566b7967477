/**
 * An upstream that says nothing for ten minutes of real time, under the limits that nobody changed: each call ends by
 * itself, its caller knows that it did not end well, and the ledger says what became of it.
 */
import { setTimeout as passed } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { connectRaw, type RawClient, rawRequest } from '../support/raw-client.ts';
import {
  chunk,
  type RawUpstream,
  startRawUpstream,
  streamHead,
  wholeAnswer,
} from '../support/raw-upstream.ts';
import { type SidecarProcess, spawnSidecar } from '../support/sidecar.ts';
import { chatDelta, chatRequest, chatRole, chatText } from './answers.ts';
import { holdTransfers } from './policies.ts';

/** `limits.upstreamIdleMsMax` where it is not set. */
const idleMs = 600_000;
/** What a busy machine may add. */
const lateMsMax = 60_000;
const almostMs = idleMs - 10_000;

let upstream: RawUpstream;
let sidecar: SidecarProcess;
/** Resolves, for each way to be silent, once the sidecar has closed that connection. */
const left = new Map<string, Promise<void>>();

beforeAll(async () => {
  upstream = await startRawUpstream(async ({ target }, answer) => {
    const how = new URL(target, 'http://upstream').searchParams.get('how') ?? '';
    left.set(how, answer.closed);
    if (how === 'after-text') answer.send(streamHead + chunk(chatRole + chatDelta('Wait')).toString());
    if (how !== 'almost') return;
    await passed(almostMs);
    answer.send(wholeAnswer('200 OK', ['Content-Type: application/json'], chatText('At last.')));
  });
  sidecar = await spawnSidecar({
    policy: holdTransfers,
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
  });
});
afterAll(endAll);

async function ask(how: string, stream: boolean): Promise<{ client: RawClient; startedMs: number }> {
  const client = await connectRaw(sidecar.proxyUrl);
  client.send(rawRequest('POST', `/v1/chat/completions?how=${how}`, [], chatRequest({ stream })));
  return { client, startedMs: performance.now() };
}

const decisionIn = (text: string): string => /holdpoint-decision: (\S+)/i.exec(text)?.[1] ?? '';

function expectTenMinutes(startedMs: number): void {
  const tookMs = performance.now() - startedMs;
  expect(tookMs).toBeGreaterThanOrEqual(idleMs);
  expect(tookMs).toBeLessThan(idleMs + lateMsMax);
}

describe.concurrent('an upstream that is silent for ten minutes', () => {
  test('before its answer: the caller gets 504 in the provider’s envelope, and the upstream is let go', async () => {
    const { client, startedMs } = await ask('before', false);
    const answer = await client.answer();
    expectTenMinutes(startedMs);
    expect(answer.status).toBe(504);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ error: { code: 'upstream_timeout' } });
    await left.get('before');
    expect(await sidecar.ada.outcomeOf(decisionIn(answer.head))).toBe('upstream_error');
  });

  test('in the middle of a stream: the connection breaks, and what came is sealed as cut off', async () => {
    const { client, startedMs } = await ask('after-text', true);
    await client.until('"Wait"');
    await client.ended;
    expectTenMinutes(startedMs);
    // A chunked body without its last chunk is visibly none.
    expect(client.text()).not.toContain('\r\n0\r\n');
    await left.get('after-text');
    const id = decisionIn(client.text());
    expect(await sidecar.ada.outcomeOf(id)).toBe('upstream_error');
    const { entries } = await sidecar.ada.decision(id);
    expect(entries.find(({ type }) => type === 'response')?.data).toMatchObject({
      result: 'upstream_truncated',
    });
    const bodies = await sidecar.ada.bodies(id);
    expect(bodies.find(({ type }) => type === 'response')?.text).toBe(chatRole + chatDelta('Wait'));
  });

  test('but for ten seconds: the answer arrives', async () => {
    const { client } = await ask('almost', false);
    const answer = await client.answer();
    expect([answer.status, answer.body.toString()]).toEqual([200, chatText('At last.')]);
    expect(await sidecar.ada.outcomeOf(decisionIn(answer.head))).toBe('delivered');
  });
});
