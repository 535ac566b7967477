/** Streams whose reader fails here after a part of them passed: that part is recorded all the same. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { sha256Hex } from '../../src/core/bytes.ts';
import { protocolOf } from '../../src/provider/index.ts';
import { endAll } from '../support/endings.ts';
import { chunk, streamHead } from '../support/raw-upstream.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatDelta, chatRequest, chatRole, chatStop, done } from './answers.ts';
import { holdTransfers } from './policies.ts';
import { replay } from './replayed.ts';
import { decisionIdOf, type Rig, startRig } from './rig.ts';
import { message, openSession } from './session-scene.ts';

afterEach(async () => {
  vi.restoreAllMocks();
  await endAll();
});

const defect = (): never => {
  throw new RangeError('a defect');
};

/** The record of a decision, read by a reader that works. */
async function recordOf({ sidecar }: Rig, id: string) {
  const outcome = await sidecar.ada.outcomeOf(id);
  vi.restoreAllMocks();
  const { entries } = await sidecar.ada.decision(id);
  const bodies = await sidecar.ada.bodies(id);
  const result = entries.find(({ type }) => type === 'response')?.data['result'];
  return { outcome, result, text: bodies.find(({ type }) => type === 'response')?.text };
}

describe('a text that passes as it comes', () => {
  const begun = chatRole + chatDelta('It begins');

  type Place = 'push' | 'finish' | 'judgement' | 'storing';

  function failAt(place: Place): void {
    if (place === 'storing') {
      // As of a text that is longer than V8 has them.
      const toText = Buffer.prototype.toString;
      vi.spyOn(Buffer.prototype, 'toString').mockImplementation(function (this: Buffer, ...as) {
        return as[0] === 'latin1' && this.includes('[DONE]') ? defect() : toText.apply(this, as);
      });
    }
    const family = protocolOf('openai');
    const { openStream } = family;
    vi.spyOn(family, 'openStream').mockImplementation((...asked) => {
      const stream = openStream(...asked);
      const push = (bytes: Buffer) => (bytes.includes('further') ? defect() : stream.push(bytes));
      if (place === 'push') return { ...stream, push };
      if (place === 'finish') return { ...stream, finish: defect };
      if (place === 'storing') return stream;
      const finish = () => {
        const { rest, reading } = stream.finish();
        return {
          rest,
          reading: {
            ...reading,
            facts: Object.defineProperty({ ...reading.facts }, 'toolCalls', { get: defect }),
          },
        };
      };
      return { ...stream, finish };
    });
  }

  /** A caller that has the beginning of a stream of which something fails here after that. */
  async function failing(place: Place, breaksOff = false) {
    const rig = await startRig({ policy: holdTransfers });
    failAt(place);
    const seen = Promise.withResolvers<void>();
    const rest = chatDelta(' and goes further') + chatStop + done;
    rig.upstream.script(async (_request, answer) => {
      answer.send(streamHead + chunk(begun));
      await seen.promise;
      if (breaksOff) answer.reset();
      else answer.send(`${chunk(rest)}0\r\n\r\n`);
    });
    const client = await rig.chat(chatRequest({ stream: true }));
    await client.until('It begins');
    seen.resolve();
    await client.ended;
    return { rig, client, all: begun + rest };
  }

  test.each(['push', 'finish', 'judgement'] as const)(
    'is sealed, and cut, where its reader or a rule fails after it (%s)',
    async (place) => {
      const { rig, client, all } = await failing(place);
      expect(client.text()).not.toContain('\r\n0\r\n\r\n');
      expect(await recordOf(rig, decisionIdOf(client.text()))).toEqual({
        outcome: 'interrupted',
        result: 'error',
        text: all,
      });
    },
  );

  test('was broken off by its upstream where its reader fails behind that', async () => {
    const { rig, client } = await failing('finish', true);
    expect(await recordOf(rig, decisionIdOf(client.text()))).toEqual({
      outcome: 'upstream_truncated',
      result: 'upstream_truncated',
      text: begun,
    });
  });

  test('is not unreadable when it is judged again, though its end is missing', async () => {
    const rig = await startRig({ policy: holdTransfers });
    failAt('push');
    rig.upstream.script((_request, answer) =>
      answer.send(streamHead + chunk(begun) + chunk(`${chatDelta(' and goes further')}data: {"choices`)),
    );
    const client = await rig.chat(chatRequest({ stream: true }));
    await client.ended;
    expect((await recordOf(rig, decisionIdOf(client.text()))).result).toBe('error');
    const { tally } = await replay(rig.sidecar, holdTransfers);
    expect([tally.obstacles(), tally.rules().filter(({ now }) => now > 0)]).toEqual([[], []]);
  });

  test('stops its upstream where no reader of it can be had', async () => {
    const rig = await startRig({ policy: holdTransfers });
    vi.spyOn(protocolOf('openai'), 'openStream').mockImplementation(defect);
    const stopped = Promise.withResolvers<void>();
    rig.upstream.script(async (_request, answer) => {
      answer.send(streamHead + chunk(begun));
      await answer.closed;
      stopped.resolve();
    });
    const answer = await (await rig.chat(chatRequest({ stream: true }))).answer();
    await stopped.promise;
    expect([answer.status, await rig.sidecar.ada.outcomeOf(decisionIdOf(answer.head))]).toEqual([
      500,
      'interrupted',
    ]);
  });

  test('is sealed by its hash, and cut, where nobody can tell what a credential in it is', async () => {
    const { rig, client, all } = await failing('storing');
    expect(client.text()).not.toContain('\r\n0\r\n\r\n');
    const id = decisionIdOf(client.text());
    expect(await recordOf(rig, id)).toEqual({ outcome: 'interrupted', result: 'error', text: '' });
    const headers = (await rig.sidecar.ada.bodies(id)).at(-1)?.headers;
    expect(headers?.at(-1)).toBe(`bytes=${Buffer.byteLength(all)}; sha-256=${sha256Hex(Buffer.from(all))}`);
  });
});

test('what passed of a stream without end is sealed where its reader fails after it', async () => {
  const family = protocolOf('anthropic');
  const { segmentsOf } = family;
  vi.spyOn(family, 'segmentsOf').mockImplementation((operation) => {
    const open = segmentsOf?.(operation) ?? null;
    return open === null ? null : (status) => ({ ...open(status), cut: defect });
  });
  const { rig, client, say, finish, heard } = await openSession({ policy: holdTransfers });
  say(message('One moment.'));
  await waitFor(() => expect(heard()).toBe(message('One moment.')));
  finish();
  await client.ended;
  const stream = decisionIdOf(client.text());
  const [segment = ''] = (await rig.sidecar.ada.newestIds(2)).filter((id) => id !== stream);
  expect(await recordOf(rig, segment)).toEqual({
    outcome: 'interrupted',
    result: 'error',
    text: message('One moment.'),
  });
  expect(await recordOf(rig, stream)).toMatchObject({
    outcome: 'interrupted',
    result: 'error',
  });
});
