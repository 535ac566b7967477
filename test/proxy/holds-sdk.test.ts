/** Official SDKs behind a hold: they wait, collect, and raise their own errors, with no code written for it. */
import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DemoProvider, startDemoProvider } from '../../src/demo/provider.ts';
import type { HeldCall } from '../support/control-client.ts';
import { atEnd, endAll } from '../support/endings.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { denyUnlistedModels, holdTransfers } from './policies.ts';
import { type Asked, type Workload, workloads } from './workloads.ts';

let provider: DemoProvider;
let sidecar: TestSidecar;

function upstreamsOf(url: string) {
  return {
    openai: { url, protocol: 'openai' as const, mount: '/' },
    anthropic: { url, protocol: 'anthropic' as const, mount: '/anthropic' },
  };
}

beforeAll(async () => {
  const demo = await startDemoProvider({ port: 0 });
  provider = demo;
  atEnd(() => demo.close());
  sidecar = await startTestSidecar({ policy: holdTransfers, upstreams: upstreamsOf(demo.url) });
});
afterAll(endAll);

const originFor = (workload: Workload, proxyUrl = sidecar.proxyUrl): string =>
  proxyUrl + (workload.base === '/v1' ? '' : workload.base);

// Every question is another one: the answer to a denied question stays denied for a while.
let amount = 20_000;
function nextPrompt(): { prompt: string; expected: Asked } {
  amount += 1;
  return {
    prompt: `Please transfer ${amount} EUR to DE89370400440532013000.`,
    expected: { text: '', calls: [{ name: 'transfer_funds', args: { amount, currency: 'EUR' } }] },
  };
}

async function failureOf(answer: Promise<unknown>): Promise<unknown> {
  return answer.then(
    () => expect.unreachable('the call was answered'),
    (error: unknown) => error,
  );
}

describe.each(workloads)('$name', (workload) => {
  describe.each([
    { form: 'plain', stream: false },
    { form: 'streaming', stream: true },
  ])('$form', ({ stream }) => {
    test('waits for the release and gets the answer', async () => {
      const { prompt, expected } = nextPrompt();
      const answer = workload.ask(originFor(workload), prompt, { stream });
      await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'release' });
      expect(await answer).toEqual(expected);
    });

    test('raises its own permission error when denied, and does not try again', async () => {
      const { prompt } = nextPrompt();
      const asked = provider.calls();
      const answer = failureOf(workload.ask(originFor(workload), prompt, { stream }));
      await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'deny' });
      expect(await answer).toSatisfy(workload.isDenial);
      expect(provider.calls()).toBe(asked + 1);
    });

    test('gets the amended arguments', async () => {
      const { prompt } = nextPrompt();
      const answer = workload.ask(originFor(workload), prompt, { stream });
      const hold = await sidecar.ada.nextHold();
      const [id] = await sidecar.ada.callIdsOf(hold);
      const args = { amount: 1_000, currency: 'CHF' };
      const amendment = { toolCalls: [{ id, arguments: args }] };
      expect(await sidecar.ada.rule(hold, { verdict: 'amend', amendment })).toMatchObject({ status: 201 });
      expect(await answer).toEqual({ text: '', calls: [{ name: 'transfer_funds', args }] });
    });
  });
});

test('every SDK comes back by its own retry when the wait ends, and collects without a second upstream call', async () => {
  const impatient = await startTestSidecar({
    policy: holdTransfers,
    upstreams: upstreamsOf(provider.url),
    limits: { waitMsMax: 100 },
  });
  const asked = provider.calls();
  const questions = workloads.map((workload) => ({ workload, ...nextPrompt() }));
  const answers = Promise.all(
    questions.map(({ workload, prompt }) => workload.ask(originFor(workload, impatient.proxyUrl), prompt)),
  );
  await gone(impatient, questions.length);
  for (const hold of await impatient.ada.pending(questions.length))
    await impatient.ada.rule(hold, { verdict: 'release' });
  expect(await answers).toEqual(questions.map(({ expected }) => expected));
  expect(provider.calls()).toBe(asked + questions.length);
});

/** Waits until every caller was told to come again. */
async function gone(of: TestSidecar, count: number): Promise<void> {
  const waiting = ({ caller }: HeldCall): boolean => caller === 'waiting';
  await expect
    .poll(async () => (await of.ada.pending(count)).filter(waiting), { timeout: 8_000, interval: 5 })
    .toEqual([]);
}

test.each(workloads)(
  '$name raises its own permission error when a rule denies its request',
  async (workload) => {
    const strict = await startTestSidecar({
      policy: denyUnlistedModels,
      upstreams: upstreamsOf(provider.url),
    });
    const asked = provider.calls();
    const answer = workload.ask(originFor(workload, strict.proxyUrl), 'Hello', { model: 'unlisted' });
    expect(await failureOf(answer)).toSatisfy(workload.isDenial);
    expect(provider.calls()).toBe(asked);
  },
);

describe('a stream that is denied after its text', () => {
  let mock: LLMock;
  let talking: TestSidecar;
  beforeAll(async () => {
    mock = new LLMock({ port: 0 });
    const transfer = { name: 'transfer_funds', arguments: '{"amount":25000,"currency":"EUR"}' };
    mock.onMessage(/transfer/, { content: 'One moment, please.', toolCalls: [transfer] });
    await mock.start();
    atEnd(() => mock.stop());
    talking = await startTestSidecar({ policy: holdTransfers, upstreams: upstreamsOf(mock.url) });
  });

  test.each(workloads)('raises an error in $name, and is not tried again', async (workload) => {
    mock.clearRequests();
    const origin = originFor(workload, talking.proxyUrl);
    const answer = failureOf(workload.ask(origin, nextPrompt().prompt, { stream: true }));
    await talking.ada.rule(await talking.ada.nextHold(), { verdict: 'deny' });
    expect(JSON.stringify(await answer, Object.getOwnPropertyNames(await answer))).toContain('denied');
    expect(mock.getRequests()).toHaveLength(1);
  });
});
