/** The AI SDK's own gateway behind the sidecar: its calls wait for a person, and a denial reaches the SDK. */
import { readFileSync } from 'node:fs';
import { createGateway, jsonSchema, streamText } from 'ai';
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import { startRig } from './rig.ts';

afterEach(endAll);

const policy = readFileSync('config/policy.yaml', 'utf8');
const paying = [
  { type: 'stream-start', warnings: [] },
  {
    type: 'tool-call',
    toolCallId: 'c',
    toolName: 'transfer_funds',
    input: '{"amount":25000,"to":"DE89"}',
  },
  { type: 'finish', finishReason: { unified: 'tool-calls' }, usage: { inputTokens: {}, outputTokens: {} } },
];

async function asking() {
  const rig = await startRig({ policy });
  const stream = paying.map((part) => `data: ${JSON.stringify(part)}\n\n`).join('');
  rig.upstream.script((_request, answer) =>
    answer.send(wholeAnswer('200 OK', ['Content-Type: text/event-stream'], stream)),
  );
  const gateway = createGateway({ apiKey: 'none', baseURL: `${rig.sidecar.proxyUrl}/v4/ai` });
  const failures: unknown[] = [];
  const result = streamText({
    model: gateway('gpt-4o'),
    prompt: 'Pay.',
    tools: { transfer_funds: { inputSchema: jsonSchema({ type: 'object' }) } },
    maxRetries: 0,
    onError: ({ error }) => {
      failures.push(error);
    },
  });
  const calls = Promise.resolve(result.toolCalls).catch(() => null);
  return { rig, calls, failures, hold: await rig.sidecar.ada.nextHold() };
}

test('a call that is released reaches the SDK', async () => {
  const { rig, calls, hold } = await asking();
  await rig.sidecar.ada.rule(hold, { verdict: 'release' });
  expect(await calls).toMatchObject([{ toolName: 'transfer_funds', input: { amount: 25_000 } }]);
});

test('a call that is denied does not', async () => {
  const { rig, calls, failures, hold } = await asking();
  await rig.sidecar.ada.rule(hold, { verdict: 'deny', reason: 'Too much.' });
  expect(await calls).toBe(null);
  expect(String(failures[0])).toContain('A reviewer denied this call');
});
