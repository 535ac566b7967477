/** Room for uploads: callers that there is none for hear so, also those that send all before they listen, and it is given back. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { atEnd, endAll } from '../support/endings.ts';
import { parseAnswer } from '../support/raw-client.ts';
import { waitFor } from '../support/wait-for.ts';
import { startRig } from './rig.ts';

afterEach(endAll);

const uploadBytes = 32 * 1024 * 1024;

/** One that sends so much, says that it is one byte longer or not, and does not listen before all of it is sent. */
async function upload(proxyUrl: string, isWhole: boolean) {
  const { hostname, port } = new URL(proxyUrl);
  const client = connect(Number(port), hostname).pause();
  atEnd(() => void client.destroy());
  const length = isWhole ? uploadBytes : uploadBytes + 1;
  client.write(`POST /v1/blobs HTTP/1.1\r\nHost: sidecar\r\nContent-Length: ${length}\r\n\r\n`);
  await new Promise<void>((resolve, reject) =>
    client.write(Buffer.alloc(uploadBytes, 'x'), (error) => (error ? reject(error) : resolve())),
  );
  return {
    answer: async () => {
      const pieces: Buffer[] = [];
      client.on('data', (piece: Buffer) => pieces.push(piece)).resume();
      await once(client, 'end');
      return parseAnswer(Buffer.concat(pieces));
    },
  };
}

test('a caller that sends its whole upload before it listens hears that there was no room for it', async () => {
  const limits = { storedBytesMax: 64 * 1024, spoolBytesMax: 1.5 * uploadBytes };
  const { sidecar } = await startRig({ limits });
  await upload(sidecar.proxyUrl, false);
  const answer = await (await upload(sidecar.proxyUrl, true)).answer();
  expect(answer?.status).toBe(503);
  expect(answer?.head).toContain('x-should-retry: true');
});

test('a caller of an upload for which there never will be room is not told to send it again', async () => {
  const { sidecar } = await startRig({ limits: { storedBytesMax: 64 * 1024, spoolBytesMax: 1024 * 1024 } });
  const answer = await (await upload(sidecar.proxyUrl, true)).answer();
  expect(answer?.status).toBe(413);
  expect(answer?.head).not.toContain('x-should-retry: true');
});

test.each([
  ['that went through', [], 200],
  ['that was refused for what stands around it', ['X-HTTP-Method-Override: DELETE'], 400],
])('an upload %s takes up no room any more', async (_how, headers, status) => {
  const { post } = await startRig({
    limits: { storedBytesMax: 64 * 1024, spoolBytesMax: 1024 * 1024 },
  });
  const upload = async (more: readonly string[]): Promise<number> =>
    (await (await post('/v1/blobs', 'x'.repeat(700 * 1024), more)).answer()).status;
  expect(await upload(headers)).toBe(status);
  // Its caller has the answer a moment before the room is there again.
  await waitFor(async () => expect(await upload([])).toBe(200));
});
