/** Whom a gateway is told to ask by header fields counts on a WebSocket, for the lines of a batch and for a batch that runs. */
import OpenAI, { toFile } from 'openai';
import { afterEach, describe, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';
import { policyOf } from './policies.ts';
import { sayingItem } from './realtime-scene.ts';
import { replay } from './replayed.ts';
import { startRig } from './rig.ts';
import { connectSocket, startSocketUpstream } from './socket-upstream.ts';

afterEach(endAll);

const holdOthers = policyOf({
  phase: 'request',
  when: 'request.model == "acme/other"',
  action: 'hold',
  match: '{ model: acme/other }',
  noMatch: '{ model: gpt-4.1 }',
});
const config = JSON.stringify({ targets: [{ override_params: { model: 'acme/other' } }] });
const fields = { 'x-portkey-config': config };
const none = 'version: "1"\nrules: []\n';

describe('on a WebSocket', () => {
  async function connected(headers: Record<string, string>, policy = holdOthers) {
    const upstream = await startSocketUpstream();
    const sidecar = await startTestSidecar({
      policy,
      upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
    });
    const client = connectSocket(sidecar.proxyUrl, '/v1/realtime?model=gpt-realtime', { headers });
    return { upstream, sidecar, client };
  }

  test('a field that names another model holds what is said', async () => {
    const { upstream, sidecar, client } = await connected(fields);
    (await client).send(sayingItem('Hello?'));
    const hold = await sidecar.ada.nextHold();
    expect(upstream.talkers[0]?.heard).toEqual([]);
    await sidecar.ada.rule(hold, { verdict: 'release' });
    await waitFor(() => expect(upstream.talkers[0]?.heard).toHaveLength(1));
    expect(upstream.requests[0]?.headers['x-portkey-config']).toBe(config);
  });

  test('a field that cannot be read opens nothing', async () => {
    const { upstream, client } = await connected({ 'x-portkey-config': '{"targets":[' });
    await expect(client).rejects.toThrow('400');
    expect(upstream.requests).toEqual([]);
  });

  test('the record says again whom they named', async () => {
    const { upstream, sidecar, client } = await connected(fields, none);
    (await client).send(sayingItem('Hello?'));
    await waitFor(() => expect(upstream.talkers[0]?.heard).toHaveLength(1));
    // The handshake, which would have been flagged, and what was said.
    expect(await matchesNow(sidecar)).toBe(2);
  });
});

describe('for a batch', () => {
  const line = JSON.stringify({
    custom_id: 'a',
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model: 'gpt-4.1', messages: [{ role: 'user', content: 'Hello?' }] },
  });
  const clientOf = ({ proxyUrl }: TestSidecar) =>
    new OpenAI({ baseURL: `${proxyUrl}/v1`, apiKey: 'sk-1', maxRetries: 0, defaultHeaders: fields });
  const upload = async (sidecar: TestSidecar) =>
    clientOf(sidecar).files.create({ file: await toFile(Buffer.from(line), 'b.jsonl'), purpose: 'batch' });

  test('a field that names another model holds the upload of its lines', async () => {
    const { upstream, sidecar } = await startRig({ policy: holdOthers });
    const uploading = upload(sidecar);
    const hold = await sidecar.ada.nextHold();
    expect(upstream.requests).toEqual([]);
    await sidecar.ada.rule(hold, { verdict: 'release' });
    await uploading;
    expect(upstream.requests).toHaveLength(1);
  });

  test('a field that names another model holds the batch that runs a file', async () => {
    const { upstream, sidecar } = await startRig({ policy: holdOthers });
    const batch = {
      input_file_id: 'file-1',
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
    } as const;
    const running = clientOf(sidecar).batches.create(batch);
    const hold = await sidecar.ada.nextHold();
    expect(upstream.requests).toEqual([]);
    await sidecar.ada.rule(hold, { verdict: 'release' });
    await running;
    expect(upstream.requests).toHaveLength(1);
  });

  test('the record says again whom they named for a line', async () => {
    const { sidecar } = await startRig({ policy: none });
    await upload(sidecar);
    // The upload and its line.
    expect(await matchesNow(sidecar)).toBe(2);
  });
});

/** How many recorded decisions the rule would hold. */
async function matchesNow(sidecar: TestSidecar): Promise<number | undefined> {
  const { tally } = await replay(sidecar, holdOthers);
  expect(tally.obstacles()).toEqual([]);
  return tally.rules().find(({ rule }) => rule === 'the-rule')?.now;
}
