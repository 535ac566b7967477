/** Some answers take longer to begin than HTTP clients wait by default (300 s in undici): the sidecar waits. */
import { setTimeout as passed } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { connectRaw, rawRequest } from '../support/raw-client.ts';
import { startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { startTestSidecar } from '../support/sidecar.ts';
import { chatRequest, chatText } from './answers.ts';

const lateMs = 305_000;

afterEach(endAll);

test('an answer whose first byte comes after 305 s arrives', async () => {
  const upstream = await startRawUpstream(async (_request, answer) => {
    await passed(lateMs);
    answer.send(wholeAnswer('200 OK', [], chatText('At last.')));
  });
  const sidecar = await startTestSidecar({
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
  });
  const client = await connectRaw(sidecar.proxyUrl);
  client.send(rawRequest('POST', '/v1/chat/completions', [], chatRequest()));
  expect((await client.answer()).body.toString()).toBe(chatText('At last.'));
});
