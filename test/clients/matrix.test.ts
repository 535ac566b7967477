/** Official SDKs, unmodified, get through the sidecar what they get without it; the document says how far. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startDemoProvider } from '../../src/demo/provider.ts';
import { atEnd, endAll } from '../support/endings.ts';
import { startTestSidecar } from '../support/sidecar.ts';
import { type Asked, type Client, whoIs } from './client.ts';
import { clients, families } from './clients.ts';
import { createDesk } from './desk.ts';
import { documentOf } from './document.ts';
import { policyFor } from './policy.ts';
import type { Bench, Outcome, Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';
import { collectUnhandled } from './unhandled.ts';
import { mountsOf, startUpstreams } from './upstreams.ts';

// Most of a scenario's time is waiting for somebody else.
vi.setConfig({ maxConcurrency: 20 });

const documentFile = fileURLToPath(new URL('CLIENTS.md', import.meta.url));
const seen = new Map<string, Outcome>();
let bench: Bench;
let demoUrl: string;
let unhandled: ReadonlySet<string>;

afterAll(endAll);
beforeAll(async () => {
  // The AI SDK explains its warnings on the console; nobody reads them here.
  Reflect.set(globalThis, 'AI_SDK_LOG_WARNINGS', false);
  atEnd(() => void Reflect.deleteProperty(globalThis, 'AI_SDK_LOG_WARNINGS'));
  unhandled = collectUnhandled(['@google/generative-ai']);
  const upstreams = await startUpstreams();
  const demonstration = await startDemoProvider({ port: 0 });
  atEnd(() => demonstration.close());
  demoUrl = demonstration.url;
  const settings = {
    policy: policyFor(clients.map(({ model }) => model)),
    upstreams: { ...mountsOf(families, upstreams), ...demoMounts(demoUrl) },
  };
  const sidecar = await startTestSidecar(settings);
  const impatient = await startTestSidecar({ ...settings, limits: { waitMsMax: 300 } });
  let n = 0;
  bench = {
    upstreams,
    proxyUrl: sidecar.proxyUrl,
    impatientUrl: impatient.proxyUrl,
    desk: createDesk(sidecar),
    impatientDesk: createDesk(impatient),
    aborted: [],
    next: () => {
      n += 1;
      return n;
    },
  };
});

describe.concurrent.each(clients.map((client) => ({ who: whoIs(client), client })))('$who', ({ client }) => {
  test.concurrent.each(scenarios)('$name: $proves', async (scenario) => {
    seen.set(keyOf(client, scenario), await scenario.run(client, bench));
  });
});

/** What the demonstration's provider speaks. */
const demoFamilies = ['openai', 'anthropic'] as const;
const ofDemo = clients.filter(({ protocol }) => demoFamilies.some((family) => family === protocol));

function demoMounts(url: string) {
  return Object.fromEntries(
    demoFamilies.map((protocol) => [`demo_${protocol}`, { url, protocol, mount: `/demo/${protocol}` }]),
  );
}

/** The demonstration's provider gives each call an id of its own. */
const withoutIds = (asked: Asked) => ({
  ...asked,
  calls: asked.calls.map(({ name, args }) => ({ name, args })),
});

describe.concurrent('the demonstration’s provider', () => {
  test.concurrent.each(ofDemo.map((client) => ({ who: whoIs(client), client })))(
    'says the same to $who',
    async ({ client }) => {
      const through = `${bench.proxyUrl}/demo/${client.protocol}`;
      for (const prompt of ['Tell me about photosynthesis', 'Please transfer 250 EUR today.'])
        for (const stream of [false, true]) {
          const expected = withoutIds(await client.ask(demoUrl, prompt, { stream }));
          expect(expected.text !== '' || expected.calls.length === 1).toBe(true);
          expect(withoutIds(await client.ask(through, prompt, { stream }))).toEqual(expected);
        }
    },
  );
});

test('every aborted call is sealed as client_abort, with the part that came', async () => {
  expect(bench.aborted).not.toEqual([]);
  for (const protocol of new Set(bench.aborted.map((each) => each.protocol))) {
    const recorded = await bench.desk.aborted(protocol);
    for (const { prompt } of bench.aborted.filter((each) => each.protocol === protocol)) {
      expect(recorded.find(({ asked }) => asked.includes(prompt))?.answered ?? '', prompt).not.toBe('');
    }
  }
});

test('CLIENTS.md says what was seen', () => {
  const outcomeOf = (client: Client, scenario: Scenario): Outcome => {
    const outcome = seen.get(keyOf(client, scenario));
    if (outcome === undefined) throw new Error(`${keyOf(client, scenario)} did not come to an end`);
    return outcome;
  };
  const text = documentOf(clients, outcomeOf, unhandled);
  if (process.env['UPDATE_DOC'] === '1') writeFileSync(documentFile, text);
  expect(readFileSync(documentFile, 'utf8')).toBe(text);
});

function keyOf(client: Client, scenario: Scenario): string {
  return `${whoIs(client)}: ${scenario.name}`;
}
