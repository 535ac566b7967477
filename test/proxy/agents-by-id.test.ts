/** Agents that are kept at a provider and named by an id alone: which model they are made of nobody sees, so the default policy asks. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProtocolName } from '../../src/core/protocol-name.ts';
import { endAll } from '../support/endings.ts';
import { connectRaw, rawRequest } from '../support/raw-client.ts';
import { type RawUpstream, startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';

const policy = readFileSync(new URL('../../config/policy.yaml', import.meta.url), 'utf8');
const families = [
  'openai',
  'anthropic',
  'mistral',
  'vertex',
  'bedrock',
] as const satisfies readonly ProtocolName[];

const engine = '/v1/projects/p/locations/eu/reasoningEngines/12:query';
const inline = { foundationModel: 'gpt-4o', instruction: 'Help.', inputText: 'Go.' };

/** The last is the model that the entry names where the body names one besides. */
const rows: readonly (readonly [(typeof families)[number], string, unknown, string, string?])[] = [
  ['anthropic', '/v1/sessions', { agent: 'agent_1', environment_id: 'env_1' }, 'agent_1'],
  ['anthropic', '/v1/sessions', { agent: { type: 'agent', id: 'agent_1' } }, 'agent_1'],
  ['anthropic', '/v1/deployments', { agent: 'agent_1', initial_events: [] }, 'agent_1'],
  ['anthropic', '/v1/deployments/dep_1/run', {}, 'deployments/dep_1'],
  ['mistral', '/v1/agents/completions', { agent_id: 'ag_1', messages: [] }, 'ag_1'],
  ['mistral', '/v1/conversations', { agent_id: 'ag_1', inputs: 'Go.' }, 'ag_1'],
  ['mistral', '/v1/conversations', { model: 'gpt-4o', agent_id: 'ag_1', inputs: 'Go.' }, 'ag_1', 'gpt-4o'],
  ['mistral', '/v1/batch/jobs', { agent_id: 'ag_1', input_files: [], endpoint: '/v1/conversations' }, 'ag_1'],
  ['openai', '/v1/responses', { prompt: { id: 'pmpt_1', variables: {} } }, 'pmpt_1'],
  [
    'openai',
    '/v1/responses',
    { agent_reference: { type: 'agent_reference', name: 'helper' }, input: 'Go.' },
    'helper',
  ],
  [
    'openai',
    '/v1/responses',
    { model: 'gpt-4o', agent: { type: 'agent_reference', name: 'helper' }, input: 'Go.' },
    'helper',
    'gpt-4o',
  ],
  ['openai', '/v1/threads/thread_1/runs', { assistant_id: 'asst_1' }, 'asst_1'],
  ['openai', '/v1/threads/runs', { assistant_id: 'asst_1', thread: { messages: [] } }, 'asst_1'],
  ['bedrock', '/agents/AB12/agentAliases/B/sessions/s/text', { inputText: 'Go.' }, 'agents/ab12'],
  ['bedrock', '/agents/AB12/agentAli%61ses/B/sessions/s/text', { inputText: 'Go.' }, 'agents/ab12'],
  [
    'bedrock',
    '/agents/s',
    { ...inline, collaboratorConfigurations: [{ agentAliasArn: 'arn:aws:bedrock:eu:1:agent-alias/A/B' }] },
    'arn:aws:bedrock:eu:1:agent-alias/A/B',
    'gpt-4o',
  ],
  ['bedrock', '/flows/F1/aliases/A1', { inputs: [{ content: { document: 'Go.' } }] }, 'flows/f1'],
  [
    'bedrock',
    '/flows/arn:aws:bedrock:eu:1:flow%2FF1/aliases/arn:aws:bedrock:eu:1:flow%2FF1%2Falias%2FA1',
    { inputs: [{ content: { document: 'Go.' } }] },
    'flows/arn:aws:bedrock:eu:1:flow/f1',
  ],
  ['bedrock', '/agents/AB12/agentAliases/B/sessions/aliases/text', { inputText: 'Go.' }, 'agents/ab12'],
  ['bedrock', '/flows/F1/aliases/A1/executions', { inputs: [{ content: { document: 'Go.' } }] }, 'flows/f1'],
  [
    'bedrock',
    '/runtimes/arn:aws:x:runtime%2FR1/invocations',
    { prompt: 'Go.' },
    'runtimes/arn:aws:x:runtime/r1',
  ],
  ['bedrock', '/harnesses/invoke', { messages: [] }, 'harnesses'],
  ['vertex', engine, { input: { message: 'Go.' } }, 'reasoningengines/12'],
];

const asking = rows.map(([family, path, body, name, own = name]) => ({ family, path, body, name, own }));

interface House {
  readonly upstream: RawUpstream;
  readonly sidecar: TestSidecar;
}

async function houseUnder(rules: string): Promise<House> {
  const head = ['Content-Type: application/json'];
  const upstream = await startRawUpstream((_request, answer) =>
    answer.send(wholeAnswer('200 OK', head, '{}')),
  );
  const { url } = upstream;
  const upstreams = Object.fromEntries(
    families.map((name) => [name, { url, protocol: name, mount: `/${name}` }]),
  );
  return { upstream, sidecar: await startTestSidecar({ policy: rules, upstreams }) };
}

let strict: House;
let lenient: House;

beforeAll(async () => {
  const names = asking.map(({ name }) => `request.model == ${JSON.stringify(name)} ||`).join(' ');
  strict = await houseUnder(policy);
  lenient = await houseUnder(policy.replace(') && !(', `) && !( ${names}`));
});
afterAll(endAll);

async function ask({ sidecar }: House, family: string, path: string, body: unknown) {
  const client = await connectRaw(sidecar.proxyUrl);
  client.send(rawRequest('POST', `/${family}${path}`, [], JSON.stringify(body)));
  return client;
}

describe('an agent that is named by its id', () => {
  test.each(asking)('waits for a person: $family $path $name', async ({ family, path, body, own }) => {
    const { ada } = strict.sidecar;
    const client = await ask(strict, family, path, body);
    await ada.rule(await ada.nextHold(), { verdict: 'deny', reason: 'unknown agent' });
    expect((await client.answer()).status).toBe(403);
    expect(strict.upstream.requests).toEqual([]);
    const { entries } = await ada.lastDecision();
    expect(entries[0]?.data).toMatchObject({ model: own, rules: ['model-not-allowed'] });
  });

  test.each(asking)(
    'is asked at once where the list has it: $family $path $name',
    async ({ family, path, body }) => {
      const before = lenient.upstream.requests.length;
      const client = await ask(lenient, family, path, body);
      await waitFor(() => expect(lenient.upstream.requests).toHaveLength(before + 1));
      client.destroy();
    },
  );

  test('is not asked where its run names a model of its own', async () => {
    const run = { assistant_id: 'asst_1', model: 'gpt-4o' };
    const client = await ask(lenient, 'openai', '/v1/threads/thread_1/runs', run);
    expect((await client.answer()).status).toBe(200);
  });
});
