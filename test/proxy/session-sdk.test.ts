/** Official SDKs on the event stream of an agent's session, through the sidecar, with nothing changed but the base URL. */
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterEach, describe, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { chunk, type RawAnswer, streamHead } from '../support/raw-upstream.ts';
import { holdTransfers } from './policies.ts';
import { type Rig, startRig } from './rig.ts';
import { idle, message, transfer } from './session-scene.ts';

afterEach(endAll);

async function startSession(): Promise<{ rig: Rig; opened: Promise<RawAnswer> }> {
  const rig = await startRig({ policy: holdTransfers });
  const { promise, resolve } = Promise.withResolvers<RawAnswer>();
  rig.upstream.script((_request, answer) => {
    answer.send(streamHead);
    resolve(answer);
  });
  return { rig, opened: promise };
}

/** Rules on the one hold there will be. */
async function rule({ sidecar: { ada } }: Rig, verdict: 'release' | 'deny'): Promise<void> {
  await ada.rule(await ada.nextHold(), { verdict });
}

describe('Anthropic’s SDK', () => {
  async function follow(rig: Rig, opened: Promise<RawAnswer>): Promise<{ types: string[]; error: unknown }> {
    const client = new Anthropic({
      apiKey: 'k',
      baseURL: `${rig.sidecar.proxyUrl}/anthropic`,
      maxRetries: 0,
    });
    const stream = await client.beta.sessions.events.stream('sesn_1');
    // Its events come after the SDK has the stream, as they do where the workload speaks next.
    (await opened).send(chunk(message('Paying.') + transfer(25_000) + idle()));
    const types: string[] = [];
    try {
      for await (const { type } of stream) {
        types.push(type);
        if (type === 'session.status_idle') break;
      }
      return { types, error: null };
    } catch (error) {
      return { types, error };
    }
  }

  test('gets a held call once it is released, and what comes after it', async () => {
    const { rig, opened } = await startSession();
    const [{ types, error }] = await Promise.all([follow(rig, opened), rule(rig, 'release')]);
    expect(error).toBeNull();
    expect(types).toEqual(['agent.message', 'agent.custom_tool_use', 'session.status_idle']);
  });

  test('throws its own error for a denied one', async () => {
    const { rig, opened } = await startSession();
    const [{ types, error }] = await Promise.all([follow(rig, opened), rule(rig, 'deny')]);
    expect(types).toEqual(['agent.message']);
    expect(error).toBeInstanceOf(Anthropic.APIError);
    expect(String(error)).toContain('A reviewer denied this call.');
  });
});

describe('OpenAI’s SDK', () => {
  const event = (type: string, members: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, event_id: 'e', session_id: 's', ...members })}\n\n`;
  const call = {
    type: 'function_call',
    id: 'i',
    call_id: 'call_1',
    name: 'transfer_funds',
    arguments: '{"amount":25000}',
    status: 'completed',
    turn_id: 't',
  };
  const waits = event('agent.session.requires_action', { session: { required_actions: [call] } });
  const calls =
    event('agent.session.turn.item.added', { item: { ...call, arguments: '', status: 'in_progress' } }) +
    event('agent.session.turn.item.done', { item: call });

  async function follow(rig: Rig, opened: Promise<RawAnswer>): Promise<readonly unknown[]> {
    const client = new OpenAI({ apiKey: 'k', baseURL: `${rig.sidecar.proxyUrl}/v1`, maxRetries: 0 });
    const stream = await client.beta.agents.sessions.events.stream('sess_1');
    (await opened).send(chunk(calls + waits));
    const events: unknown[] = [];
    for await (const one of stream) {
      events.push(one);
      if (one.type === 'agent.session.requires_action') break;
    }
    return events;
  }

  test('gets a held call once it is released; that the session waits for it is not held again', async () => {
    const { rig, opened } = await startSession();
    const [events] = await Promise.all([follow(rig, opened), rule(rig, 'release')]);
    expect(events).toMatchObject([
      { type: 'agent.session.turn.item.added' },
      { type: 'agent.session.turn.item.done', item: { arguments: '{"amount":25000}' } },
      { type: 'agent.session.requires_action' },
    ]);
  });

  test('is shown the denial of one as an event of the API’s own type, the last', async () => {
    const { rig, opened } = await startSession();
    const [events] = await Promise.all([follow(rig, opened), rule(rig, 'deny')]);
    expect(events).toMatchObject([
      { type: 'error', error: { type: 'permission_error', code: 'denied_by_reviewer' } },
    ]);
  });
});
