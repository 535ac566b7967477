/** Official SDKs, unmodified, get through the sidecar what they get without it: plain, streaming, tool calls. */
import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDemoProvider } from '../../src/demo/provider.ts';
import { atEnd, endAll } from '../support/endings.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { holdTransfers } from './policies.ts';
import { workloads } from './workloads.ts';

const tellMe = 'Tell me about photosynthesis';
const transfer = 'Please transfer 250 EUR today.';

/** Providers that nobody here, or somebody else, wrote; both answer the same question alike each time. */
const providers = [
  {
    provider: 'aimock',
    start: async () => {
      const mock = new LLMock({ port: 0, chunkSize: 7 });
      mock.onMessage(/photosynthesis/, { content: 'Plants turn light into sugar — ☀️ → 🌱.' });
      const args = JSON.stringify({ amount: 250, currency: 'EUR' });
      mock.onMessage(/transfer/, { toolCalls: [{ name: 'transfer_funds', arguments: args }] });
      await mock.start();
      atEnd(() => mock.stop());
      return mock.url;
    },
  },
  {
    provider: 'the demonstration’s provider',
    start: async () => {
      const demo = await startDemoProvider({ port: 0 });
      atEnd(() => demo.close());
      return demo.url;
    },
  },
] as const;

const forms = [
  { form: 'plain', stream: false },
  { form: 'streaming', stream: true },
] as const;

afterAll(endAll);

describe.each(providers)('with $provider', ({ start }) => {
  let direct: string;
  let sidecar: TestSidecar;

  beforeAll(async () => {
    direct = await start();
    sidecar = await startTestSidecar({
      policy: holdTransfers,
      upstreams: {
        openai: { url: direct, protocol: 'openai', mount: '/' },
        anthropic: { url: direct, protocol: 'anthropic', mount: '/anthropic' },
      },
    });
  });

  describe.each(workloads)('$name', (workload) => {
    const through = (): string => sidecar.proxyUrl + (workload.base === '/v1' ? '' : workload.base);

    test.each(forms)('$form text is the same as without the sidecar', async ({ stream }) => {
      const expected = await workload.ask(direct, tellMe, { stream });
      expect(expected.text).not.toBe('');
      expect(await workload.ask(through(), tellMe, { stream })).toEqual(expected);
      expect((await sidecar.ada.lastDecision()).operation).not.toBe('unknown');
    });

    test.each(forms)('a $form tool call is the same as without the sidecar', async ({ stream }) => {
      const expected = await workload.ask(direct, transfer, { stream });
      expect(expected.calls).toHaveLength(1);
      expect(await workload.ask(through(), transfer, { stream })).toEqual(expected);
      const decision = await sidecar.ada.lastDecision();
      expect(decision.entries.find(({ type }) => type === 'response')?.data).toMatchObject({ toolCalls: 1 });
    });
  });
});
