/** A stop of the sidecar while a call runs that came in through the forward proxy. */
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { rawRequest } from '../support/raw-client.ts';
import { type RawAnswer, startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { chatRequest, chatText } from './answers.ts';
import { askOver, openThrough, startBehind } from './through.ts';

afterEach(endAll);

test('a call that runs on a decrypted connection when the sidecar stops has its answer', async () => {
  const asked = Promise.withResolvers<RawAnswer>();
  const upstream = await startRawUpstream((_request, answer) => asked.resolve(answer));
  const hosts = ['api.openai.com'];
  const { forwardUrl, ca, sidecar } = await startBehind({
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/', hosts } },
    limits: { drainMsMax: 60_000 },
  });
  const client = await openThrough(forwardUrl, 'api.openai.com', { ca });
  const question = rawRequest('POST', '/v1/chat/completions', [], chatRequest());
  const answered = askOver(client, question.replace('Host: sidecar', 'Host: api.openai.com'));
  const answer = await asked.promise;
  const stopped = sidecar.stop();
  answer.send(wholeAnswer('200 OK', [], chatText('Hello.')));
  expect((await answered).body.toString()).toBe(chatText('Hello.'));
  await stopped;
});
