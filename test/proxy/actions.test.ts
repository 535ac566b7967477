/** What a hold says about who may do what with it, and that it says what a ruling is then refused with. */
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { endAll } from '../support/endings.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatRequest, chatTransfer } from './answers.ts';
import { holdTransfersWith } from './policies.ts';
import { type Rig, startRig } from './rig.ts';

afterEach(endAll);

const actionsSchema = z.object({
  release: z.string(),
  deny: z.string(),
  amend: z.string(),
  amendText: z.string(),
  releaseCalls: z.string(),
  breakGlass: z.string(),
});
const step = z.object({ at: z.string(), roles: z.array(z.string()) });
const heldSchema = z.object({
  actions: actionsSchema,
  notRequester: z.boolean(),
  escalated: z.array(step),
  escalation: z.array(step),
  collectInMs: z.number(),
  breakGlassCollectInMs: z.number().nullable(),
});
type Held = z.output<typeof heldSchema>;

async function start(terms: string, answer = chatTransfer(25_000)): Promise<Rig> {
  const rig = await startRig({ policy: holdTransfersWith(terms) });
  rig.upstream.script((_request, to) => to.send(wholeAnswer('200 OK', [], answer)));
  await rig.chat(chatRequest());
  return rig;
}

/** The one hold as somebody of this role reads it. */
async function seenBy(
  rig: Rig,
  name: string,
  role: 'reviewer' | 'admin' | 'privacy' | 'viewer',
): Promise<Held> {
  const { id } = await rig.sidecar.ada.nextHold();
  const { controlUrl, place } = rig.sidecar;
  const response = await fetch(`${controlUrl}/api/v1/holds/${id}`, {
    headers: { authorization: `Bearer ${place.tokenOf(name, role)}` },
  });
  return heldSchema.parse(await response.json());
}

/** An answer of two calls with these ids, the first of which the rule holds. */
function twoCalls(ids: readonly [string, string]): string {
  const tool_calls = ids.map((id) => ({
    id,
    type: 'function',
    function: { name: 'transfer_funds', arguments: '{"amount":25000}' },
  }));
  const message = { role: 'assistant', content: null, tool_calls };
  const choices = [{ index: 0, message, finish_reason: 'tool_calls' }];
  const frame = { object: 'chat.completion', id: 'c', created: 1, model: 'gpt-4.1' };
  return JSON.stringify({
    ...frame,
    choices,
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  });
}

describe('a hold says', () => {
  test('that nothing stands against a reviewer where one suffices, but that nobody may break the glass', async () => {
    const { actions } = await seenBy(await start('collectIn: 2h'), 'rita', 'reviewer');
    expect(actions).toEqual({
      release: '',
      deny: '',
      amend: '',
      amendText: '',
      releaseCalls: 'There are no two calls to tell apart.',
      breakGlass: 'Nobody may break the glass on this hold. Ask for the approvals that it needs.',
    });
  });

  test('how long what is released waits, and how long where the glass was broken', async () => {
    const rig = await start('collectIn: 2h, breakGlass: { roles: [admin], collectIn: 30s }');
    expect(await seenBy(rig, 'rita', 'reviewer')).toMatchObject({
      collectInMs: 7_200_000,
      breakGlassCollectInMs: 30_000,
    });
  });

  test('which role is missing, to whoever has another one, the glass apart', async () => {
    const rig = await start('breakGlass: { roles: [admin] }');
    const { actions } = await seenBy(rig, 'olga', 'admin');
    const missing = 'This hold needs one of the roles: reviewer. Ask somebody who has it.';
    expect(actions).toMatchObject({ release: missing, deny: missing, amend: missing, breakGlass: '' });
  });

  test('that one person alone amends nothing and divides nothing where several must agree', async () => {
    const rig = await start('approvals: { reviewer: 1, privacy: 1 }', twoCalls(['a', 'b']));
    const { actions } = await seenBy(rig, 'rita', 'reviewer');
    expect(actions.release).toBe('');
    expect(actions.amend).toContain('cannot be amended by one person');
    expect(actions.releaseCalls).toContain('cannot be amended by one person');
  });

  test('that somebody has ruled already', async () => {
    const rig = await start('approvals: 2');
    const hold = await rig.sidecar.ada.nextHold();
    await rig.sidecar.as('rita', 'reviewer').rule(hold, { verdict: 'release' });
    const { actions } = await seenBy(rig, 'rita', 'reviewer');
    expect(actions.release).toContain('rita has ruled on this hold already.');
    expect((await seenBy(rig, 'bob', 'reviewer')).actions.release).toBe('');
  });

  test('who may rule besides, since when and from when', async () => {
    const rig = await start(
      'expiresIn: 60s, escalate: [{ after: 10s, roles: [admin] }, { after: 30s, roles: [privacy] }]',
    );
    expect((await seenBy(rig, 'olga', 'admin')).escalated).toEqual([]);
    rig.time.advance(10_000);
    await waitFor(async () => {
      const held = await seenBy(rig, 'olga', 'admin');
      expect(held.escalated).toMatchObject([{ roles: ['admin'] }]);
      expect(held.escalation).toMatchObject([{ roles: ['privacy'] }]);
      expect(held.actions.release).toBe('');
    });
  });

  test('that calls whose ids name no single one cannot be told apart', async () => {
    const twins = await seenBy(await start('collectIn: 1h', twoCalls(['same', 'same'])), 'rita', 'reviewer');
    expect(twins.actions.releaseCalls).toContain('have no id of their own');
    const apart = await seenBy(await start('collectIn: 1h', twoCalls(['a', 'b'])), 'rita', 'reviewer');
    expect(apart.actions.releaseCalls).toBe('');
  });

  test('nothing of its content to those who do not read it: only which role they lack', async () => {
    const { actions } = await seenBy(await start('collectIn: 1h', twoCalls(['a', 'a'])), 'vera', 'viewer');
    const missing = 'This hold needs one of the roles: reviewer. Ask somebody who has it.';
    expect(actions).toMatchObject({ release: missing, amend: missing, releaseCalls: missing });
  });
});
