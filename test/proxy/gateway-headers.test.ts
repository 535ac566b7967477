/** Header fields that have a gateway ask somebody else: rules hear of everybody, and no key in them is stored. */
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { gatewayAsks } from '../../src/core/gateway-headers.ts';
import { withoutSecrets } from '../../src/core/http-message.ts';
import { endAll } from '../support/endings.ts';
import { chatRequest } from './answers.ts';
import { startRig } from './rig.ts';

afterEach(endAll);

const policy = readFileSync('config/policy.yaml', 'utf8');
const key = 'sk-not-to-be-stored';
const target = (more: object) => ({ provider: 'openai', api_key: key, ...more });
const falling = (...targets: readonly object[]) => ({ strategy: { mode: 'fallback' }, targets });

const asking: readonly (readonly [name: string, value: string, asked: readonly string[]])[] = [
  // https://portkey.ai/docs/product/ai-gateway/configs
  [
    'x-portkey-config',
    JSON.stringify(falling(target({}), target({ override_params: { model: 'acme/other' } }))),
    ['acme/other'],
  ],
  [
    'x-portkey-config',
    JSON.stringify(falling(falling(target({ overrideParams: { model: 'acme/other' } })))),
    ['acme/other'],
  ],
  [
    'x-portkey-config',
    JSON.stringify(target({ custom_host: `https://u:${key}@models.acme.example/v1?k=${key}` })),
    ['https://models.acme.example/v1'],
  ],
  [
    'X-Portkey-Config',
    JSON.stringify({
      ...target({}),
      input_guardrails: [
        { 'default.webhook': { webhookURL: 'https://hooks.acme.example/', headers: { k: key } } },
      ],
    }),
    ['https://hooks.acme.example/'],
  ],
  ['x-portkey-config', 'pc-acme-1a2b3c', ['pc-acme-1a2b3c']],
  ['x-portkey-custom-host', 'https://models.acme.example/v1', ['https://models.acme.example/v1']],
  ['x-portkey-azure-deployment-id', 'acme-other', ['acme-other']],
  // https://docs.helicone.ai/helicone-headers/header-directory
  [
    'Helicone-Fallbacks',
    JSON.stringify([
      {
        'target-url': 'https://models.acme.example',
        headers: { Authorization: `Bearer ${key}` },
        onCodes: [401, { from: 500, to: 599 }],
        bodyKeyOverride: { model: 'acme/other' },
      },
    ]),
    ['https://models.acme.example/', 'acme/other'],
  ],
  ['helicone-fallbacks', '["gpt-4o","acme/other"]', ['gpt-4o', 'acme/other']],
  ['helicone-target-url', 'https://models.acme.example', ['https://models.acme.example/']],
  // https://ai-sdk.dev/providers/ai-sdk-providers/ai-gateway
  ['ai-language-model-id', 'acme/other', ['acme/other']],
  ['AI-Model-Id', 'acme/other', ['acme/other']],
  // https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
  ['X-Amzn-SageMaker-Target-Model', 'other.tar.gz', ['other.tar.gz']],
  ['X-Amzn-SageMaker-Target-Variant', 'shadow', ['shadow']],
  ['X-Amzn-SageMaker-Inference-Component', 'other', ['other']],
  // https://learn.microsoft.com/azure/machine-learning/how-to-deploy-online-endpoints
  ['azureml-model-deployment', 'green', ['green']],
];

describe('a field that names who else is asked', () => {
  test.each(asking)('is heard, and stored without keys: %s %s', (name, value, asked) => {
    expect(gatewayAsks([name, value])).toMatchObject({ names: asked, defects: [] });
    const stored = withoutSecrets([name, value]);
    if (/config|fallbacks/i.test(name)) expect(stored.join()).not.toContain(key);
    expect(gatewayAsks(stored).names).toEqual(asked);
  });

  test.each(asking.map(([name, value]) => [name, value] as const))(
    'makes the call wait for a person: %s',
    async (name, value) => {
      const rig = await startRig({ policy });
      const client = await rig.chat(chatRequest(), [`${name}: ${value}`]);
      const hold = await rig.sidecar.ada.nextHold();
      expect(rig.upstream.requests).toHaveLength(0);
      await rig.sidecar.ada.rule(hold, { verdict: 'release' });
      expect((await client.answer()).status).toBe(200);
      // The gateway gets what its caller wrote.
      expect(rig.upstream.requests[0]?.head).toContain(`${name}: ${value}`);
    },
  );

  test.each([
    ['x-portkey-config', JSON.stringify(target({ override_params: { model: 'gpt-4o', max_tokens: 5 } }))],
    ['x-portkey-config', JSON.stringify({ retry: { attempts: 3 }, cache: { mode: 'simple' } })],
    ['helicone-fallbacks', '["gpt-4o"]'],
    ['x-portkey-provider', 'openai'],
  ])('holds nothing where all of them are on the list: %s %s', async (name, value) => {
    const rig = await startRig({ policy });
    const client = await rig.chat(chatRequest(), [`${name}: ${value}`]);
    expect((await client.answer()).status).toBe(200);
  });

  test.each(['{"targets":[', '{"a":1} x', '"pc-a"', 'pc-a, pc b'])(
    'that cannot be read is refused: %s',
    async (value) => {
      const rig = await startRig({ policy });
      const client = await rig.chat(chatRequest(), [`x-portkey-config: ${value}`]);
      expect((await client.answer()).status).toBe(400);
      expect(rig.upstream.requests).toHaveLength(0);
    },
  );

  test('lets no other value come in on the ruling over it', async () => {
    const rig = await startRig({ policy });
    const idempotent = 'Idempotency-Key: one';
    const first = await rig.chat(chatRequest(), [idempotent, 'x-portkey-config: pc-one']);
    await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'release' });
    expect((await first.answer()).status).toBe(200);
    const second = await rig.chat(chatRequest(), [idempotent, 'x-portkey-config: pc-two']);
    await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'deny', reason: 'not that one' });
    expect((await second.answer()).status).toBe(403);
    expect(rig.upstream.requests.map(({ head }) => head.includes('pc-one'))).toEqual([true]);
  });

  test('says nothing where nobody is asked', async () => {
    const rig = await startRig({ policy });
    const proxy = rig.sidecar.proxyUrl;
    const answer = await fetch(`${proxy}/v1/models`, { headers: { 'x-portkey-config': 'pc-acme' } });
    expect(answer.status).toBe(200);
  });
});

test.each([
  'x-portkey-api-key',
  'x-portkey-virtual-key',
  'x-portkey-aws-secret-access-key',
  'x-portkey-aws-session-token',
  'Helicone-Auth',
  'cf-aig-authorization',
  'x-litellm-api-key',
])('the key in %s is not stored', (name) => {
  expect(withoutSecrets([name, key])).toEqual([name, '[removed]']);
});
