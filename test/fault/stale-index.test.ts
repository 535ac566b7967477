/** The search index is made again from the ledger and is never evidence: one that knows more hides nothing else. */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { chatText } from '../proxy/answers.ts';
import { endAll } from '../support/endings.ts';
import { startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { makePlace, type Settings, startTestSidecar, type TestSidecar } from '../support/sidecar.ts';

afterEach(endAll);

/** What a backup of the ledger is made of, without what is made from it. */
const kept = ['ledger', 'high-water'];
const page = z.object({ items: z.array(z.object({ id: z.string(), session: z.string() })) });

async function ask(sidecar: TestSidecar, session: string): Promise<void> {
  const answer = await fetch(`${sidecar.proxyUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'holdpoint-session': session },
    body: JSON.stringify({ model: 'gpt-4.1', messages: [{ role: 'user', content: 'Hello?' }] }),
  });
  expect(answer.status).toBe(200);
  await answer.arrayBuffer();
}

async function get(sidecar: TestSidecar, path: string): Promise<Response> {
  const authorization = `Bearer ${sidecar.place.tokenOf('ada', 'reviewer')}`;
  return fetch(`${sidecar.controlUrl}${path}`, { headers: { authorization } });
}

/** A sidecar whose ledger ends after the session `first`, and whose index knows of three decisions after it. */
async function startWithStaleIndex(): Promise<TestSidecar> {
  const upstream = await startRawUpstream((_request, answer) =>
    answer.send(wholeAnswer('200 OK', ['Content-Type: application/json'], chatText('Hello.'))),
  );
  const settings: Settings = {
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
  };
  const place = makePlace(settings);
  const backup = join(place.directory, 'backup');
  const before = await startTestSidecar(settings, place);
  await ask(before, 'first');
  await before.stop();
  for (const name of kept) cpSync(join(place.dataDir, name), join(backup, name), { recursive: true });
  const after = await startTestSidecar(settings, place);
  for (let count = 0; count < 3; count += 1) await ask(after, 'lost');
  await after.stop();
  for (const name of kept) {
    rmSync(join(place.dataDir, name), { recursive: true });
    cpSync(join(backup, name), join(place.dataDir, name), { recursive: true });
  }
  return startTestSidecar(settings, place);
}

describe('an index that knows of decisions that the ledger no longer has', () => {
  test('leads a search to those it has', async () => {
    const sidecar = await startWithStaleIndex();
    const answer = await get(sidecar, '/api/v1/decisions?model=gpt-4.1');
    expect(answer.status).toBe(200);
    expect(page.parse(await answer.json()).items.map(({ session }) => session)).toEqual(['first']);
  });

  test('leads a search for one that is gone to nothing', async () => {
    const sidecar = await startWithStaleIndex();
    const answer = await get(sidecar, '/api/v1/decisions?session=lost');
    expect([answer.status, await answer.json()]).toEqual([200, { items: [], next: null, unreadable: [] }]);
  });

  test('leads the holds of a session that is gone to nothing', async () => {
    const sidecar = await startWithStaleIndex();
    const answer = await get(sidecar, '/api/v1/holds?session=lost');
    const none = { items: [], total: 0, next: null, unreadable: [], unreadableEntries: 0 };
    expect([answer.status, await answer.json()]).toEqual([200, none]);
  });
});
