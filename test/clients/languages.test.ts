/** The HTTP clients of other languages, on which their SDKs stand: by their base URL, and by the proxy of their environment. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  chatDelta,
  chatRequest,
  chatRole,
  chatStop,
  chatText,
  chatToolsEnd,
  chatTransfer,
  chatTransferEvents,
  done,
} from '../proxy/answers.ts';
import { type Behind, run, startBehind } from '../proxy/through.ts';
import type { HeldCall } from '../support/control-client.ts';
import { atEnd, endAll } from '../support/endings.ts';
import { listeningOn } from '../support/listening-on.ts';
import { waitFor } from '../support/wait-for.ts';
import {
  lineOf,
  type Program,
  programs,
  type Question,
  type Told,
  titled,
  toldOf,
} from './languages/programs.ts';
import { policyFor } from './policy.ts';

const pageSchema = z.object({ items: z.array(z.unknown()) });
const host = 'api.openai.com';
/** curl asks before it sends so much. */
const largeBytes = 1_500_000;

const asking = (content: string, more = {}): string =>
  chatRequest({ messages: [{ role: 'user', content }], ...more });
const questions: readonly Question[] = [
  { name: 'plain', how: 'whole', body: asking('Please.') },
  { name: 'again', how: 'whole', body: asking('Please, once more.') },
  { name: 'stream', how: 'whole', body: asking('Please.', { stream: true }) },
  { name: 'in pieces', how: 'pieces', body: asking('Please.'.repeat(1_000)) },
  { name: 'large', how: 'whole', body: asking('x'.repeat(largeBytes)) },
  { name: 'large, in pieces', how: 'pieces', body: asking('x'.repeat(largeBytes)) },
  { name: 'limited', how: 'whole', body: asking('limited') },
  { name: 'left', how: 'leave', body: asking('silent', { stream: true }) },
  { name: 'held', how: 'whole', body: asking('transfer') },
  { name: 'held stream', how: 'whole', body: asking('transfer', { stream: true }) },
  { name: 'last', how: 'whole', body: asking('Goodbye.') },
];
const heldCount = questions.filter(({ name }) => name.startsWith('held')).length;
const denied: Question = { name: 'denied', how: 'whole', body: asking('Please.', { model: 'unlisted' }) };

/** A provider that compresses where it may, limits, and falls silent. */
async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const asked = await text(req);
  const isTransfer = asked.includes('transfer');
  if (asked.includes('"stream":true')) {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of [chatRole, chatDelta('Hel')]) res.write(event);
    if (asked.includes('silent')) return;
    const calls = [...chatTransferEvents(25_000), chatToolsEnd];
    for (const event of isTransfer ? calls : [chatDelta('lo.'), chatStop, done]) res.write(event);
    res.end();
    return;
  }
  const json = { 'content-type': 'application/json' };
  if (asked.includes('limited')) {
    res.writeHead(429, { ...json, 'retry-after': '1' });
    res.end(JSON.stringify({ error: { message: 'Too many.', type: 'requests' } }));
    return;
  }
  const whole = isTransfer ? chatTransfer(25_000) : chatText(`${asked.length} were read.`);
  const mayCompress = /\bgzip\b/.test(String(req.headers['accept-encoding']));
  res.writeHead(200, { ...json, ...(mayCompress ? { 'content-encoding': 'gzip' } : {}) });
  res.end(mayCompress ? gzipSync(whole) : whole);
}

let providerUrl: string;
let behind: Behind;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'holdpoint-languages-'));
  atEnd(() => rmSync(directory, { recursive: true, force: true }));
  const provider = await listeningOn(
    // A question that cannot be read is one without an answer, which its program complains of.
    createServer((req, res) => answer(req, res).catch(() => res.destroy())),
  );
  atEnd(provider.close);
  providerUrl = provider.url;
  behind = await startBehind({
    policy: policyFor(['gpt-4.1']),
    upstreams: { openai: { url: providerUrl, protocol: 'openai', mount: '/', hosts: [host] } },
  });
});
afterAll(endAll);

async function ask(
  { command, before, env }: Program['direct'],
  base: string,
  asked: readonly Question[],
): Promise<readonly Told[]> {
  const file = join(directory, 'questions');
  writeFileSync(file, asked.map(lineOf).join(''));
  return toldOf((await run(command, [...before, base, file], env)).out);
}

/** Java compiles its program first, which takes seconds where the machine is busy. */
const holdMsMax = 30_000;

/** The program asks one question after the other, so there is one hold at a time. */
async function releaseAll(): Promise<void> {
  const { ada } = behind.sidecar;
  const next = async (): Promise<HeldCall> => {
    const [hold] = await ada.holds('pending');
    if (hold === undefined) throw new Error('Nothing is held.');
    return hold;
  };
  for (let count = 0; count < heldCount; count += 1) {
    const hold = await waitFor(next, { timeout: holdMsMax, interval: 20 });
    const { status } = await ada.rule(hold, { verdict: 'release' });
    expect(status).toBe(201);
  }
}

async function askReleased(by: Program['direct'], base: string): Promise<readonly Told[]> {
  const [told] = await Promise.all([ask(by, base, questions), releaseAll()]);
  return told;
}

describe.each(titled(programs))('$title', ({ program: { direct, through, missing } }) => {
  let expected: readonly Told[];
  beforeAll(async () => {
    if (missing === '') expected = await ask(direct, providerUrl, questions);
  });

  test.skipIf(missing !== '')('is told what the provider says', () => {
    expect(expected).toMatchObject(
      questions.map(({ name }) => ({ name, status: name === 'limited' ? 429 : 200 })),
    );
  });

  test.skipIf(missing !== '')(
    'is told the same by its base URL, what a person released included',
    async () => {
      expect(await askReleased(direct, behind.sidecar.proxyUrl)).toEqual(expected);
    },
  );

  test.skipIf(missing !== '')('is told the same through the forward proxy', async () => {
    const { forwardUrl: url, caFile } = behind;
    expect(await askReleased(through({ url, caFile }), `https://${host}`)).toEqual(expected);
  });

  test.skipIf(missing !== '')('is told that its model is denied', async () => {
    const [told] = await ask(direct, behind.sidecar.proxyUrl, [denied]);
    expect(told?.status).toBe(403);
    expect(JSON.parse(told?.said ?? '')).toMatchObject({ error: { code: 'denied_by_policy' } });
  });
});

test('what a program left is recorded as left, once for each way in', async () => {
  const { sidecar } = behind;
  const headers = { authorization: `Bearer ${sidecar.place.tokenOf('ada', 'reviewer')}` };
  const url = `${sidecar.controlUrl}/api/v1/decisions?outcome=client_abort&limit=200`;
  const leavings = 2 * programs.filter(({ missing }) => missing === '').length;
  // An outcome is sealed shortly after its end.
  await waitFor(async () => {
    const { items } = pageSchema.parse(await (await fetch(url, { headers })).json());
    expect(items).toHaveLength(leavings);
  });
});
