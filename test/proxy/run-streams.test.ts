/** Streamed runs of assistants: what comes after a call that may pass does not wait for the end of the run. */
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import type { RawClient } from '../support/raw-client.ts';
import { chunk, type RawAnswer, streamHead, wholeAnswer } from '../support/raw-upstream.ts';
import { waitFor } from '../support/wait-for.ts';
import { holdTransfers } from './policies.ts';
import { decisionIdOf, type Rig, startRig } from './rig.ts';

afterEach(endAll);

const event = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const done = 'event: done\ndata: [DONE]\n\n';
const step = (calls: readonly object[]) => ({
  id: 'step_1',
  object: 'thread.run.step',
  step_details: { type: 'tool_calls', tool_calls: calls },
});
const interpreter = { id: 'call_c', type: 'code_interpreter', code_interpreter: { input: '1+1' } };
const ran =
  event('thread.run.step.created', step([])) +
  event('thread.run.step.delta', {
    id: 'step_1',
    delta: { step_details: { type: 'tool_calls', tool_calls: [{ index: 0, ...interpreter }] } },
  }) +
  event('thread.run.step.completed', step([interpreter]));
const said = (text: string): string =>
  event('thread.message.delta', { id: 'm', delta: { content: [{ type: 'text', text: { value: text } }] } });
const completed = event('thread.run.completed', { id: 'run_1', object: 'thread.run', status: 'completed' });
const asks = (amount: number): string =>
  event('thread.run.requires_action', {
    id: 'run_1',
    object: 'thread.run',
    status: 'requires_action',
    required_action: {
      submit_tool_outputs: {
        tool_calls: [
          {
            id: 'call_1',
            type: 'function',
            function: { name: 'transfer_funds', arguments: `{"amount":${amount}}` },
          },
        ],
      },
    },
  });
const begunCall = (name: string): string =>
  event('thread.run.step.created', step([])) +
  event('thread.run.step.delta', {
    id: 'step_1',
    delta: {
      step_details: {
        type: 'tool_calls',
        tool_calls: [
          {
            index: 0,
            id: 'call_1',
            type: 'function',
            function: { name, arguments: '{"am' },
          },
        ],
      },
    },
  });

interface Run {
  readonly rig: Rig;
  readonly client: RawClient;
  readonly upstream: RawAnswer;
  say(...events: readonly string[]): void;
}

async function startRun(policy: string = holdTransfers): Promise<Run> {
  const rig = await startRig({ policy });
  const opened = Promise.withResolvers<RawAnswer>();
  rig.upstream.script((_request, answer) => {
    answer.send(streamHead);
    opened.resolve(answer);
  });
  const client = await rig.post('/v1/threads/t/runs', JSON.stringify({ assistant_id: 'a', stream: true }));
  const upstream = await opened.promise;
  return { rig, client, upstream, say: (...events) => upstream.send(chunk(events.join(''))) };
}

describe('what comes after a call of the provider’s own tools', () => {
  test('goes on while the run does, once that call is judged and sealed', async () => {
    const { rig, client, say, upstream } = await startRun();
    say(ran);
    await client.until('thread.run.step.completed');
    const [id = ''] = await rig.sidecar.ada.newestIds(1);
    const { entries } = await rig.sidecar.ada.decision(id);
    expect(entries.find(({ type }) => type === 'response')?.data).toMatchObject({ result: 'ok' });
    expect(await rig.sidecar.ada.outcomeOf(id)).toBe('delivered');
    say(said('Two'));
    await client.until('"Two"');
    say(completed, done);
    upstream.send('0\r\n\r\n');
    const { body } = await client.answer();
    expect(body.toString()).toBe(ran + said('Two') + completed + done);
    expect(await rig.sidecar.ada.outcomeOf(decisionIdOf(client.text()))).toBe('delivered');
  });

  test('waits for a call of the workload’s that a rule holds, and has the reviewer’s arguments', async () => {
    const { rig, client, say, upstream } = await startRun();
    say(said('Paying'), asks(25_000), done);
    upstream.send('0\r\n\r\n');
    const hold = await rig.sidecar.ada.nextHold();
    await client.until('"Paying"');
    expect(client.text()).not.toContain('requires_action');
    const amendment = { toolCalls: [{ id: 'call_1', arguments: { amount: 20 } }] };
    expect(await rig.sidecar.ada.rule(hold, { verdict: 'amend', amendment })).toMatchObject({ status: 201 });
    const { body } = await client.answer();
    expect(body.toString()).toBe(said('Paying') + asks(20) + done);
  });
});

describe('a run that is cut short', () => {
  test('in order, but before its last event, breaks the caller’s connection off', async () => {
    const { rig, client, say, upstream } = await startRun();
    say(said('On'));
    await client.until('"On"');
    upstream.send('0\r\n\r\n');
    await client.ended;
    expect(client.text()).not.toContain('\r\n0\r\n');
    const id = decisionIdOf(client.text());
    expect(await rig.sidecar.ada.outcomeOf(id)).toBe('upstream_truncated');
  });

  test('within a call shows nothing of it', async () => {
    const { rig, client, say, upstream } = await startRun();
    say(said('On'), begunCall('transfer_funds'));
    await client.until('"On"');
    upstream.reset();
    await client.ended;
    expect(client.text()).not.toContain('transfer_funds');
    await waitFor(async () => expect(await rig.sidecar.ada.pending(0)).toEqual([]));
  });

  test('within a call is recorded as cut short, and not as held for what is missing', async () => {
    const { rig, client, say, upstream } = await startRun();
    say(said('On'), begunCall('no_rule_minds'));
    await client.until('"On"');
    const [id = ''] = await rig.sidecar.ada.newestIds(1);
    upstream.reset();
    await client.ended;
    expect(await rig.sidecar.ada.outcomeOf(id)).toBe('upstream_truncated');
    const { entries } = await rig.sidecar.ada.decision(id);
    expect(entries.find(({ type }) => type === 'response')?.data).toMatchObject({
      result: 'upstream_truncated',
      verdict: 'pass',
    });
  });
});

test('a run that comes compressed all the same is waited for, and arrives as it was sent', async () => {
  const rig = await startRig({ policy: holdTransfers });
  const compressed = gzipSync(asks(25_000) + done);
  rig.upstream.script((_request, answer) =>
    answer.send(
      wholeAnswer('200 OK', ['Content-Type: text/event-stream', 'Content-Encoding: gzip'], compressed),
    ),
  );
  const client = await rig.post('/v1/threads/t/runs', '{"assistant_id":"a","stream":true}');
  await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'release' });
  const { status, body } = await client.answer();
  expect(status).toBe(200);
  expect(body.equals(compressed)).toBe(true);
});

test('a run that failed at the provider says so in the record', async () => {
  const { rig, client, say, upstream } = await startRun();
  say(said('On'), event('thread.run.failed', { id: 'run_1', object: 'thread.run', status: 'failed' }), done);
  upstream.send('0\r\n\r\n');
  await client.answer();
  const [, id = ''] = await rig.sidecar.ada.newestIds(2);
  const { entries } = await rig.sidecar.ada.decision(id);
  expect(entries.find(({ type }) => type === 'response')?.data).toMatchObject({ result: 'error' });
});

test('a run that is not streamed is judged as one', async () => {
  const rig = await startRig({ policy: holdTransfers });
  rig.upstream.script((_request, answer) => {
    const body = '{"id":"run_1","object":"thread.run","status":"queued"}';
    answer.send(
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  });
  const client = await rig.post('/v1/threads/t/runs', '{"assistant_id":"a"}', ['Accept-Encoding: gzip']);
  expect((await client.answer()).status).toBe(200);
  expect(rig.upstream.requests[0]?.head).toContain('Accept-Encoding: gzip');
});
