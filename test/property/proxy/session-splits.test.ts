/** Wherever a stream of a session's events is cut on its way, nothing of a call goes on before its ruling, and all of it after. */

import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { protocolOf } from '../../../src/provider/index.ts';
import { holdTransfers } from '../../proxy/policies.ts';
import { idle, message, openSession, sent, transfer } from '../../proxy/session-scene.ts';
import { endAll } from '../../support/endings.ts';
import { waitFor } from '../../support/wait-for.ts';

afterEach(endAll);

const before = `${sent('session.status_running')}${message('Zahle 25 000 €.')}: a comment\r\n\r\n`;
const held = transfer(25_000);
const after = idle('requires_action') + message('Fertig ✓') + idle();
const transcript = Buffer.from(before + held + after);

/** The transcript cut at these places. */
function pieces(cuts: readonly number[]): readonly Buffer[] {
  const places = [...new Set(cuts)].sort((a, b) => a - b);
  return [0, ...places].map((from, i) => transcript.subarray(from, places[i] ?? transcript.length));
}

test('a held call is withheld whole and released whole, however its stream is cut', async () => {
  const place = fc.integer({ min: 1, max: transcript.length - 1 });
  await fc.assert(
    fc
      .asyncProperty(fc.uniqueArray(place, { maxLength: 60 }), async (cuts) => {
        const scene = await openSession({ policy: holdTransfers });
        const { ada } = scene.rig.sidecar;
        for (const piece of pieces(cuts)) scene.sendBytes(piece);
        const hold = await ada.nextHold();
        await waitFor(() => expect(scene.heard()).toBe(before));
        await ada.rule(hold, { verdict: 'release' });
        await waitFor(() => expect(scene.heard()).toBe(transcript.toString()));
        expect(await ada.outcomeOf(hold.decisionId)).toBe('delivered');
      })
      .afterEach(endAll),
    { numRuns: 6, examples: [[Array.from({ length: transcript.length - 1 }, (_, i) => i + 1)]] },
  );
});

describe.each([
  ['anthropic', 'sessions.stream'],
  ['openai', 'agents.sessions.stream'],
] as const)('the reader of %s', (family, operation) => {
  const members = fc.record(
    {
      type: fc.constantFrom(
        ...[
          'agent.message',
          'agent.tool_use',
          'agent.other',
          'event_start',
          'event_delta',
          'session.status_idle',
        ],
        ...['agent.session.turn.item.added', 'agent.session.turn.item.done', 'agent.session.idle', 'error'],
      ),
      id: fc.constantFrom('a', 'b', 7, null),
      name: fc.anything(),
      input: fc.anything(),
      event: fc.anything(),
      item: fc.oneof(
        fc.anything(),
        fc.record({ type: fc.constantFrom('function_call', 'message'), id: fc.constantFrom('a', 'b') }),
      ),
    },
    { requiredKeys: ['type'] },
  );
  const event = fc.oneof(
    members.map((value) => `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`),
    fc.string().map((text) => `data: ${text}\n\n`),
    fc.constant(': a comment\r\n'),
  );

  /** All that is read of the bytes when they come in these pieces, each segment cut where it ends. */
  function readIn(pieces: readonly Buffer[]) {
    const stream = protocolOf(family).segmentsOf?.(operation)?.(200);
    if (stream === undefined) throw new Error('such a stream is read in segments');
    const seen: unknown[] = [];
    const raw: Buffer[] = [];
    for (const piece of pieces) {
      stream.push(piece);
      for (let next = stream.next(); next !== null; next = stream.next()) {
        raw.push(next.raw);
        seen.push([next.kind, next.ends, stream.within()]);
        if (next.ends) seen.push(stream.cut());
      }
    }
    raw.push(stream.finish());
    return { seen: [...seen, stream.cut()], raw: Buffer.concat(raw) };
  }

  test('never throws, keeps every byte, and says the same however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 8 }),
        fc.array(fc.nat(2_000), { maxLength: 20 }),
        (events, cuts) => {
          const bytes = Buffer.from(events.join(''));
          const places = [...new Set(cuts.filter((cut) => cut < bytes.length))].sort((a, b) => a - b);
          const pieces = [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length));
          const whole = readIn([bytes]);
          expect(whole.raw).toEqual(bytes);
          expect(readIn(pieces)).toEqual(whole);
        },
      ),
    );
  });
});
