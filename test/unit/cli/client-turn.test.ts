/** What takes its turn with others at the sidecar: waits as it is told to, and not for ever. */
import { afterEach, expect, it } from 'vitest';
import { controlClient } from '../../../src/cli/client.ts';
import { readOptions } from '../../../src/cli/options.ts';
import { HoldpointError } from '../../../src/core/errors.ts';
import { type PlayedSidecar, playSidecar } from '../../support/played-sidecar.ts';

let sidecar: PlayedSidecar;
afterEach(() => sidecar.close());

/** A sidecar that refuses so often, and what a client asks of it in turn. */
async function sceneOf(refusals: number, retryAfter: string | null, code = 'overloaded') {
  let left = refusals;
  let asked = 0;
  sidecar = await playSidecar((req, res) => {
    req.resume();
    asked += 1;
    left -= 1;
    if (left < 0) res.end('{"page":1}');
    else {
      if (retryAfter !== null) res.setHeader('retry-after', retryAfter);
      res.writeHead(503).end(JSON.stringify({ code, detail: 'Another one runs.' }));
    }
  });
  const waited: number[] = [];
  const wait = async (ms: number) => void waited.push(ms);
  const client = controlClient(readOptions([], ['url', 'token']), sidecar.env, { wait });
  const told: string[] = [];
  const answer: unknown = await client
    .postInTurn('/', {}, ({ message }) => void told.push(message))
    .catch((error: unknown) => (error instanceof HoldpointError ? error.code : error));
  return { answer, asked, waited, told };
}

it('waits as long as it is told each time, says why, and gives the answer that comes then', async () => {
  const { answer, waited, told } = await sceneOf(2, '3');
  expect(answer).toEqual({ page: 1 });
  expect(waited).toEqual([3_000, 3_000]);
  expect(told).toEqual(['Another one runs.', 'Another one runs.']);
});

it('waits a second where it is told to ask again at once', async () => {
  expect((await sceneOf(1, '0')).waited).toEqual([1_000]);
});

it('gives up after ten minutes', async () => {
  const { answer, waited } = await sceneOf(Number.POSITIVE_INFINITY, '100');
  expect(answer).toBe('overloaded');
  expect(waited).toHaveLength(6);
});

it.each([
  ['it is not told when to ask again', null, 'overloaded'],
  ['something else is in the way', '3', 'ledger_unavailable'],
])('does not wait where %s', async (_, retryAfter, code) => {
  const { answer, asked, waited } = await sceneOf(1, retryAfter, code);
  expect([answer, asked, waited]).toEqual([code, 1, []]);
});
