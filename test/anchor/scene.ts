/** Sidecars with anchors, calls through them, and a check that something became so. */
import { readFileSync } from 'node:fs';
import { startDemoProvider } from '../../src/demo/provider.ts';
import type { verifyDirectory } from '../../src/store/verify-directory.ts';
import { atEnd } from '../support/endings.ts';
import type { Settings, TestSidecar } from '../support/sidecar.ts';

/** An upstream that answers everything. */
export async function upstreams(): Promise<Settings['upstreams']> {
  const provider = await startDemoProvider({ port: 0 });
  atEnd(() => provider.close());
  return { openai: { url: provider.url, protocol: 'openai', mount: '/' } };
}

/** One call; resolves with its status. */
export async function call(proxyUrl: string, text = 'hello'): Promise<number> {
  const answer = await fetch(`${proxyUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'demo', messages: [{ role: 'user', content: text }] }),
  });
  await answer.arrayBuffer();
  return answer.status;
}

const eventuallyMsMax = 10_000;

/** Waits until `look` gives something other than undefined; fails after `eventuallyMsMax`. */
export async function eventually<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const untilMs = performance.now() + eventuallyMsMax;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (performance.now() > untilMs) throw new Error('it did not become so');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The value of a series on the metrics page; undefined while it is not there. */
export async function metric(sidecar: TestSidecar, series: string): Promise<string | undefined> {
  const page = await (await fetch(`${sidecar.controlUrl}/metrics`)).text();
  return page
    .split('\n')
    .find((line) => line.startsWith(`${series} `))
    ?.slice(series.length + 1);
}

export const codesOf = ({ findings }: Awaited<ReturnType<typeof verifyDirectory>>): readonly string[] =>
  findings.map(({ code }) => code);

export const readText = (file: string): string => readFileSync(file, 'utf8');
