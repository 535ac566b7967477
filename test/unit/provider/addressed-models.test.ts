/** Models that stand in the address of a call: as they are spelt there, and only where a model is asked. */
import { expect, test } from 'vitest';
import { withAddressed } from '../../../src/provider/addressed-models.ts';
import { protocolOf } from '../../../src/provider/index.ts';
import { asked } from './lines.ts';

const openai = protocolOf('openai');

/** Every model that the call is seen with, its own first. */
function models(target: string, body: object = {}, method = 'POST'): readonly unknown[] {
  const path = target.replace(/\?.*/, '');
  const operation = openai.operationOf(method, path);
  const { facts } = withAddressed(asked(openai, operation, body, path), operation, target);
  return [facts.model, ...(facts.insteads ?? []).map(({ model }) => model)];
}

test.each([
  ['/engines/Acme-1/completions', 'Acme-1'],
  ['/engines/acme/chat/chat/completions', 'acme/chat'],
  ['/engines/acme%2Flarge/embeddings', 'acme/large'],
  ['/openai/deployments/large/extensions/chat/completions', 'large'],
  ['/openai/deployments/deployments/audio/speech', 'deployments'],
  ['//Engines//large/./chat/completions/', 'large'],
  ['/%65ngines/large/chat/completions', 'large'],
  ['/engin;x=1es/../e%6Egines/large/chat/completions', 'large'],
  ['/v1/chat/completions%3Fmodel=x?model=large', 'large'],
  ['/v1/account/gateway/azure-openai/resource/large/chat/completions', 'large'],
  ['/serving-endpoints/large/invocations', 'large'],
  ['/endpoints/large/invocations', 'large'],
  ['/v2/models/large/generate_stream', 'large'],
  ['/models/acme/large/v1/chat/completions', 'acme/large'],
  ['/v1/images/generations?model=large', 'large'],
  ['/client/v4/accounts/a/ai/run/@cf/meta/Llama-4', '@cf/meta/Llama-4'],
  ['/v1/account/gateway/workers-ai/@cf/meta/Llama-4', '@cf/meta/Llama-4'],
  ['/hf-inference/models/acme/large', 'acme/large'],
  ['/fal-ai/fal-ai/flux/dev', 'fal-ai/flux/dev'],
  ['/wavespeed/api/v3/wavespeed-ai/flux-dev', 'wavespeed-ai/flux-dev'],
  ['/black-forest-labs/v1/flux-pro', 'flux-pro'],
  ['/providers/blackforestlabs/v1/flux-2-pro', 'flux-2-pro'],
  // https://docs.fireworks.ai/api-reference/generate-a-new-image-from-a-text-prompt
  ['/inference/v1/workflows/accounts/a/models/Flux/text_to_image', 'accounts/a/models/Flux'],
  ['/inference/v1/workflows/accounts/a/models/Flux/get_result', 'accounts/a/models/Flux'],
  ['/inference/v1/image_generation/accounts/a/models/Large', 'accounts/a/models/Large'],
  // https://docs.litellm.ai/docs/a2a_invoking_agents
  ['/a2a/Clerk', 'Clerk'],
  ['/v1/a2a/Clerk/message/send', 'Clerk'],
  ['/a2a/Clerk/message:stream', 'Clerk'],
  // https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol
  ['/v1/models/Large:predict', 'Large'],
  ['/v1/models/Large:explain', 'Large'],
  ['/v1/models/acme/large/predictions', 'acme/large'],
  ['/v1/deployments/acme/large/predictions', 'acme/large'],
  ['/ml/v1/deployments/large/text/chat_stream', 'large'],
  ['/api/v2/databases/d/schemas/s/agents/Large:run', 'Large'],
  ['/api/v1/apps/large/completion', 'large'],
  // https://docs.litellm.ai/docs/pass_through/vertex_ai
  ['/vertex_ai/v1/projects/p/locations/l/publishers/anthropic/models/large@1:streamRawPredict', 'large@1'],
])('%s names %s', (target, model) => {
  expect(models(target)).toEqual([model]);
  expect(models(target, { model: 'gpt-4o' })).toEqual(['gpt-4o', model]);
  expect(models(target, { model })).toEqual([model]);
});

test.each([
  ['POST', '/v1/chat/completions'],
  ['POST', '/models/chat/completions'],
  ['POST', '/projects/p/endpoints/openapi/chat/completions'],
  ['POST', '/v1/chat/completions?model='],
  // What is listed are those of one model.
  ['GET', '/v1/chat/completions?model=gpt-4o'],
  ['GET', '/v1/models?model=gpt-4o'],
])('%s %s names none', (method, target) => {
  expect(models(target, {}, method)).toEqual(['']);
});
