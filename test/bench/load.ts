/** The load: closed-loop for throughput and CPU, open-loop at a fixed rate for latency, streams for the first token. */
import { Agent } from 'undici';

export interface Target {
  readonly url: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

const filler = 'Customer 1001 asks about the status of invoice 4711 and the next hold point. ';

/** A chat completion request of about so many KB: a conversation, as agents send all of it with each turn. */
export function chatBody(stream: boolean, kilobytes = 1): string {
  const base = { model: 'gpt-4.1', stream, temperature: 0.2, max_tokens: 400 };
  const system = 'You are a careful assistant in a billing department. Answer briefly.';
  const turns = Array.from({ length: kilobytes }, (_, at) => ({
    role: at % 2 === (kilobytes + 1) % 2 ? 'user' : 'assistant',
    content: filler.repeat(at === 0 ? 10 : 13),
  }));
  return JSON.stringify({ ...base, messages: [{ role: 'system', content: system }, ...turns] });
}

export interface LoadResult {
  readonly calls: number;
  readonly failed: number;
  readonly seconds: number;
  /** Sorted, in milliseconds. */
  readonly latencyMs: readonly number[];
}

/** `concurrency` callers, each with one call at a time, for `calls` calls. */
export async function closedLoop(
  target: Target,
  concurrency: number,
  calls: number,
  { stream = false, kilobytes = 1 } = {},
): Promise<LoadResult> {
  const agent = newAgent(concurrency);
  const body = chatBody(stream, kilobytes);
  const latencyMs: number[] = [];
  let started = 0;
  let failed = 0;
  const t0 = performance.now();
  const caller = async (): Promise<void> => {
    while (started < calls) {
      started += 1;
      const t = performance.now();
      if ((await callOnce(agent, target, body)).ok) latencyMs.push(performance.now() - t);
      else failed += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  const seconds = (performance.now() - t0) / 1000;
  await agent.destroy();
  return { calls: latencyMs.length, failed, seconds, latencyMs: latencyMs.sort((a, b) => a - b) };
}

/** One call each `1/rate` s whether or not earlier ones have ended; latency counts from the planned start. */
export async function openLoop(
  target: Target,
  ratePerSecond: number,
  calls: number,
  { stream = false, kilobytes = 1 } = {},
): Promise<LoadResult> {
  const agent = newAgent(64);
  const body = chatBody(stream, kilobytes);
  const latencyMs: number[] = [];
  let failed = 0;
  const t0 = performance.now();
  const running: Promise<void>[] = [];
  for (let i = 0; i < calls; i++) {
    const plannedMs = t0 + (i * 1000) / ratePerSecond;
    const waitMs = plannedMs - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    // Node's timers are late by up to a millisecond; the call is timed from when it could start.
    const from = performance.now();
    running.push(
      callOnce(agent, target, body).then(({ ok, firstByteAt, endedAt }) => {
        if (ok) latencyMs.push((stream ? firstByteAt : endedAt) - from);
        else failed += 1;
      }),
    );
  }
  await Promise.all(running);
  await agent.destroy();
  return {
    calls: latencyMs.length,
    failed,
    seconds: (performance.now() - t0) / 1000,
    latencyMs: latencyMs.sort((a, b) => a - b),
  };
}

export function percentile(sorted: readonly number[], fraction: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN;
}

function newAgent(connections: number): Agent {
  return new Agent({ connections, pipelining: 1, keepAliveTimeout: 60_000 });
}

function callOnce(
  agent: Agent,
  target: Target,
  body: string,
): Promise<{ ok: boolean; firstByteAt: number; endedAt: number }> {
  return new Promise((resolve) => {
    let status = 0;
    let bytes = 0;
    let firstByteAt = 0;
    agent.dispatch(
      {
        origin: target.url,
        path: target.path,
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer sk-bench', ...target.headers },
        body,
      },
      {
        onRequestStart: () => undefined,
        onResponseStart: (_controller, code) => {
          status = code;
        },
        onResponseData: (_controller, chunk) => {
          if (bytes === 0) firstByteAt = performance.now();
          bytes += chunk.length;
        },
        onResponseEnd: () =>
          resolve({ ok: status === 200 && bytes > 100, firstByteAt, endedAt: performance.now() }),
        onResponseError: () => resolve({ ok: false, firstByteAt: 0, endedAt: 0 }),
      },
    );
  });
}
