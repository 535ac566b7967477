/** Wherever a stream of a session's events is cut on its way, nothing of a call goes on before its ruling, and all of it after. */

import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { holdTransfers } from '../../proxy/policies.ts';
import { idle, message, openSession, sent, transfer } from '../../proxy/session-scene.ts';
import { endAll } from '../../support/endings.ts';

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
        await vi.waitFor(() => expect(scene.heard()).toBe(before));
        await ada.rule(hold, { verdict: 'release' });
        await vi.waitFor(() => expect(scene.heard()).toBe(transcript.toString()));
        expect(await ada.outcomeOf(hold.decisionId)).toBe('delivered');
      })
      .afterEach(endAll),
    { numRuns: 6, examples: [[Array.from({ length: transcript.length - 1 }, (_, i) => i + 1)]] },
  );
});
