/**
 * A batch names a file that was uploaded before: one whose lines were judged here, with the same credential, passes;
 * any other waits for a person. The default policy says so, and the ledger is the memory.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import OpenAI, { AzureOpenAI, toFile } from 'openai';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { type RawUpstream, startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import {
  makePlace,
  type Settings,
  spawnSidecar,
  startTestSidecar,
  type TestSidecar,
} from '../support/sidecar.ts';

const policy = readFileSync(new URL('../../config/policy.yaml', import.meta.url), 'utf8');
const json = ['Content-Type: application/json'];
const line = JSON.stringify({
  custom_id: 'a',
  method: 'POST',
  url: '/v1/chat/completions',
  body: { model: 'gpt-4.1', messages: [{ role: 'user', content: 'Hi' }] },
});

/** Gives files ids as a provider does, one each; a batch is an object with the file it runs. */
async function startProvider(): Promise<RawUpstream> {
  let files = 0;
  return startRawUpstream(({ target, body }, answer) => {
    if (!/\/batch(es|\/jobs)(\?|$)/.test(target)) files += 1;
    const text = /\/batch(es|\/jobs)(\/b\/requests)?(\?|$)/.test(target)
      ? JSON.stringify({ id: 'batch-1', object: 'batch', asked: JSON.parse(body.toString()) })
      : JSON.stringify({ id: `file-${files}`, object: 'file', purpose: 'batch' });
    answer.send(wholeAnswer('200 OK', json, text));
  });
}

const settingsFor = (url: string): Settings => ({
  policy,
  upstreams: {
    openai: { url, protocol: 'openai', mount: '/' },
    azure: { url, protocol: 'azure', mount: '/azure' },
    mistral: { url, protocol: 'mistral', mount: '/mistral' },
    gemini: { url, protocol: 'gemini', mount: '/gemini' },
    bedrock: { url, protocol: 'bedrock', mount: '/bedrock' },
  },
});

const clientOf = (proxyUrl: string, apiKey = 'sk-1') =>
  new OpenAI({ baseURL: `${proxyUrl}/v1`, apiKey, maxRetries: 0 });

async function upload(client: OpenAI, lines = line, purpose: 'batch' | 'user_data' = 'batch') {
  const file = await toFile(Buffer.from(`${lines}\n`), 'batch.jsonl');
  return client.files.create({ file, purpose });
}

const run = (client: OpenAI, file: string) =>
  client.batches.create({
    input_file_id: file,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
  });

describe('in one process', () => {
  let upstream: RawUpstream;
  let sidecar: TestSidecar;
  let client: OpenAI;
  let sent = 0;
  beforeAll(async () => {
    upstream = await startProvider();
    sidecar = await startTestSidecar(settingsFor(upstream.url));
    client = clientOf(sidecar.proxyUrl);
  });
  beforeEach(() => {
    sent = upstream.requests.length;
  });
  afterAll(endAll);
  const forwarded = (): number => upstream.requests.length - sent;

  /** Lets the hold that stands go its way to the end, and says which rules it was for. */
  async function denyHeld(): Promise<readonly unknown[]> {
    const hold = await sidecar.ada.nextHold();
    await sidecar.ada.rule(hold, { verdict: 'deny', reason: 'nobody saw it' });
    const { entries } = await sidecar.ada.decision(hold.decisionId);
    return entries.flatMap(({ type, data }) => (type === 'request' ? [data['rules']] : []));
  }

  test('a batch of a file whose lines were judged here is created at once', async () => {
    const { id } = await upload(client);
    expect(await run(client, id)).toMatchObject({ id: 'batch-1' });
    expect(forwarded()).toBe(2);
  });

  test('what was judged stands in the sealed answer, without the credential', async () => {
    const answer = await client.files
      .create({ file: await toFile(Buffer.from(`${line}\n`), 'b.jsonl'), purpose: 'batch' })
      .asResponse();
    const { id } = JSON.parse(await answer.text()) as { id: string };
    const view = await sidecar.ada.decision(answer.headers.get('holdpoint-decision') ?? '');
    const sealed = view.entries.find(({ type }) => type === 'response')?.data['file'];
    expect(sealed).toEqual({ credential: expect.stringMatching(/^[0-9a-f]{64}$/), id });
  });

  test.each([
    ['nobody here has seen', async () => 'file-elsewhere'],
    [
      'was uploaded with another credential',
      async () => (await upload(clientOf(sidecar.proxyUrl, 'sk-2'))).id,
    ],
    ['was uploaded for something else', async () => (await upload(client, line, 'user_data')).id],
  ])('a batch of a file that %s is held before it is created', async (_what, fileOf) => {
    const file = await fileOf();
    sent = upstream.requests.length;
    const refused = expect(run(client, file)).rejects.toBeInstanceOf(OpenAI.PermissionDeniedError);
    expect(await denyHeld()).toEqual([['unjudged-batch']]);
    await refused;
    expect(forwarded()).toBe(0);
  });

  test('a batch of a file of which the policy has come to hold a line is held before it is created', async () => {
    const { id } = await upload(client);
    const { policyFile } = sidecar.place;
    const change = async (text: string): Promise<void> => {
      writeFileSync(policyFile, text);
      await sidecar.sidecar.reloadPolicy();
    };
    try {
      await change(
        policy.replace("r'^gpt-4(\\.1|o)", "r'^gpt-4(o)").replace(/^ +- \{ name: a dated OpenAI.*\n/m, ''),
      );
      sent = upstream.requests.length;
      const refused = expect(run(client, id)).rejects.toBeInstanceOf(OpenAI.PermissionDeniedError);
      expect(await denyHeld()).toEqual([['unjudged-batch']]);
      await refused;
      expect(forwarded()).toBe(0);
      await change(`${policy}# The same rules otherwise.\n`);
      const again = await upload(client);
      await change(policy);
      expect(await run(client, again.id)).toMatchObject({ id: 'batch-1' });
    } finally {
      await change(policy);
    }
  });

  test('a batch of a file of which the policy has come to deny a line is held before it is created', async () => {
    const { id } = await upload(client);
    const { policyFile } = sidecar.place;
    const denying = `
  - id: no-such-lines
    title: No lines for this model
    phase: request
    when: request.model == "gpt-4.1"
    action: deny
    severity: high
    tests:
      - { name: yes, expect: match, request: { model: gpt-4.1 } }
      - { name: no, expect: no-match, request: { model: other } }
`;
    try {
      writeFileSync(policyFile, policy.trimEnd() + denying);
      await sidecar.sidecar.reloadPolicy();
      sent = upstream.requests.length;
      const refused = expect(run(client, id)).rejects.toBeInstanceOf(OpenAI.PermissionDeniedError);
      expect(await denyHeld()).toEqual([['unjudged-batch']]);
      await refused;
      expect(forwarded()).toBe(0);
    } finally {
      writeFileSync(policyFile, policy);
      await sidecar.sidecar.reloadPolicy();
    }
  });

  test('a batch of an unknown file goes out as it was sent once a person has released it', async () => {
    const creating = run(client, 'file-released');
    const hold = await sidecar.ada.nextHold();
    expect(forwarded()).toBe(0);
    await sidecar.ada.rule(hold, { verdict: 'release', reason: 'checked by hand' });
    expect(await creating).toMatchObject({ asked: { input_file_id: 'file-released' } });
  });

  test('a file whose upload was refused is not one that was judged, whatever id it is said to have', async () => {
    await expect(upload(client, 'not json')).rejects.toBeInstanceOf(OpenAI.BadRequestError);
    expect(forwarded()).toBe(0);
    const refused = expect(run(client, 'file-999')).rejects.toBeInstanceOf(OpenAI.PermissionDeniedError);
    expect(await denyHeld()).toEqual([['unjudged-batch']]);
    await refused;
  });

  test('an Azure deployment’s batches are judged by the files uploaded to it, and by no other provider’s', async () => {
    const azureAt = (deployment?: string) =>
      new AzureOpenAI({
        endpoint: `${sidecar.proxyUrl}/azure`,
        apiVersion: '2025-04-01-preview',
        apiKey: 'az-1',
        maxRetries: 0,
        ...(deployment === undefined ? {} : { deployment }),
      });
    const client = azureAt('gpt-4.1');
    const { id } = await upload(client);
    expect(await run(client, id)).toMatchObject({ id: 'batch-1' });
    expect(await run(azureAt(), id)).toMatchObject({ id: 'batch-1' });
    const post = (body: object) =>
      fetch(`${sidecar.proxyUrl}/azure/openai/batches?api-version=1`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'api-key': 'az-1' },
        body: JSON.stringify(body),
      });
    const stored = post({ input_blob: 'https://a.blob.core.windows.net/in/b.jsonl' });
    expect(await denyHeld()).toEqual([['unjudged-batch']]);
    expect((await stored).status).toBe(403);
  });

  test('a Mistral job runs at once if all of its files were judged, and is held if one was not', async () => {
    const headers = { authorization: 'Bearer m-1' };
    const form = new FormData();
    form.set('purpose', 'batch');
    form.set(
      'file',
      new Blob([
        `{"custom_id":"a","body":{"model":"gpt-4.1","messages":[{"role":"user","content":"Hi"}]}}\n`,
      ]),
      'b.jsonl',
    );
    const uploaded = await fetch(`${sidecar.proxyUrl}/mistral/v1/files`, {
      method: 'POST',
      headers,
      body: form,
    });
    const { id } = (await uploaded.json()) as { id: string };
    const job = (files: readonly string[]) =>
      fetch(`${sidecar.proxyUrl}/mistral/v1/batch/jobs`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify({ input_files: files, model: 'gpt-4.1', endpoint: '/v1/chat/completions' }),
      });
    expect((await job([id])).status).toBe(200);
    const held = job([id, 'another']);
    expect(await denyHeld()).toEqual([['unjudged-batch']]);
    expect((await held).status).toBe(403);
  });

  const post = (path: string, body: object): Promise<Response> =>
    fetch(`${sidecar.proxyUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer x-1' },
      body: JSON.stringify(body),
    });

  test('requests that are added to an xAI batch are judged and sealed one by one', async () => {
    const ask = (model: string) => ({
      chat_get_completion: { model, messages: [{ role: 'user', content: 'Hi' }] },
    });
    const add = (...models: readonly string[]) =>
      post('/v1/batches/b/requests', {
        batch_requests: models.map((model, i) => ({ batch_request_id: `r${i}`, batch_request: ask(model) })),
      });
    const added = await add('gpt-4.1', 'gpt-4o');
    expect(added.status).toBe(200);
    const carrier = await sidecar.ada.decision(added.headers.get('holdpoint-decision') ?? '');
    const lines = await Promise.all((await sidecar.ada.newestIds(2)).map((id) => sidecar.ada.decision(id)));
    expect(lines.map(({ operation, entries }) => [operation, entries[0]?.data['batch']])).toEqual([
      ['chat.completions', carrier.entries[0]?.seq],
      ['chat.completions', carrier.entries[0]?.seq],
    ]);
    sent = upstream.requests.length;
    const held = add('gpt-4.1', 'a-model-nobody-approved');
    expect(await denyHeld()).toEqual([['model-not-allowed']]);
    expect((await held).status).toBe(403);
    expect(forwarded()).toBe(0);
  });

  test('a Bedrock job over prompts in S3 is held', async () => {
    const held = post('/bedrock/model-invocation-job', {
      jobName: 'j',
      modelId: '',
      inputDataConfig: { s3InputDataConfig: { s3Uri: 's3://bucket/in.jsonl' } },
      outputDataConfig: { s3OutputDataConfig: { s3Uri: 's3://bucket/out/' } },
    });
    expect(await denyHeld()).toEqual([['unjudged-batch']]);
    expect((await held).status).toBe(403);
    expect(forwarded()).toBe(0);
  });

  test('a Gemini batch of a file is held: what is uploaded to Google does not come by here', async () => {
    const held = fetch(`${sidecar.proxyUrl}/gemini/v1beta/models/gpt-4.1:batchGenerateContent`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-goog-api-key': 'g-1' },
      body: JSON.stringify({ batch: { displayName: 'b', inputConfig: { fileName: 'files/1' } } }),
    });
    expect(await denyHeld()).toEqual([['unjudged-batch']]);
    expect((await held).status).toBe(403);
  });
});

describe('over processes', () => {
  afterEach(endAll);

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'a file that was judged is known after %s and a restart, and an unknown one is still held',
    async (signal) => {
      const upstream = await startProvider();
      const settings = settingsFor(upstream.url);
      const place = makePlace(settings);
      const first = await spawnSidecar(settings, place);
      const { id } = await upload(clientOf(first.proxyUrl));
      await first.kill(signal);

      const second = await spawnSidecar(settings, place);
      expect(await run(clientOf(second.proxyUrl), id)).toMatchObject({ id: 'batch-1' });
      const sent = upstream.requests.length;
      const refused = expect(run(clientOf(second.proxyUrl, 'sk-2'), id)).rejects.toBeInstanceOf(
        OpenAI.PermissionDeniedError,
      );
      const hold = await second.ada.nextHold();
      expect(upstream.requests.length).toBe(sent);
      await second.ada.rule(hold, { verdict: 'deny', reason: 'nobody saw it' });
      await refused;
    },
  );
});
