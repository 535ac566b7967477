/** Models that a request names besides its own: rules see the request with each of them. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadPolicy } from '../../../../src/policy/compile.ts';
import { protocolOf } from '../../../../src/provider/index.ts';
import type { OperationName } from '../../../../src/provider/protocol.ts';
import { judgeOf, requestFacts } from '../../policy/support.ts';
import { asked } from '../lines.ts';

const messages = [{ role: 'user', content: 'Hi' }];
const other = 'acme/other';

const naming: readonly (readonly [family: 'openai' | 'anthropic', operation: OperationName, own: object])[] =
  [
    // https://openrouter.ai/docs/guides/routing/model-fallbacks
    ['openai', 'chat.completions', { messages, models: ['gpt-5', other] }],
    ['openai', 'responses', { input: 'Hi', models: [other] }],
    ['openai', 'completions', { prompt: 'Hi', models: [other] }],
    // https://platform.claude.com/docs/en/build-with-claude/refusals-and-fallback
    ['anthropic', 'messages', { messages, fallbacks: [{ model: other }] }],
    ['anthropic', 'messages', { messages, fallbacks: 'default' }],
    // https://docs.litellm.ai/docs/proxy/client_side_fallbacks, https://docs.litellm.ai/docs/proxy/reliability
    ['openai', 'chat.completions', { messages, fallbacks: [other] }],
    ['openai', 'chat.completions', { messages, fallbacks: [{ 'gpt-5': [other] }] }],
    ['openai', 'chat.completions', { messages, context_window_fallbacks: [{ 'gpt-5': [other] }] }],
    // https://vercel.com/docs/ai-gateway/models-and-providers/model-fallbacks
    ['openai', 'chat.completions', { messages, providerOptions: { gateway: { models: [other] } } }],
    // https://docs.keywordsai.co/documentation/products/gateway/traffic_management/fallbacks
    ['openai', 'chat.completions', { messages, fallback_models: [other] }],
    // https://docs.orq.ai/docs/ai-gateway-fallbacks
    ['openai', 'chat.completions', { messages, orq: { fallbacks: [{ model: other }] } }],
  ];

describe('a model to fall back to', () => {
  const policy = loadPolicy('policy.yaml', readFileSync('config/policy.yaml', 'utf8'));
  const judged = (family: 'openai' | 'anthropic', operation: OperationName, body: object) => {
    const { facts, defects } = asked(protocolOf(family), operation, body);
    expect(defects).toEqual([]);
    return policy.judge('request', {
      request: { ...requestFacts({ provider: family, operation }), ...facts },
    });
  };

  test.each(naming)('is held by the allow-list as if it were asked: %s %s %j', (family, operation, own) => {
    expect(
      judged(family, operation, { model: family === 'openai' ? 'gpt-5' : 'claude-opus-5', ...own }),
    ).toMatchObject({
      action: 'hold',
      matches: [{ rule: 'model-not-allowed' }],
    });
  });

  test('passes where it is on the list', () => {
    expect(
      judged('openai', 'chat.completions', { model: 'gpt-5', models: ['gpt-5', 'gpt-4o'], messages }).action,
    ).toBe('pass');
    expect(judged('openai', 'chat.completions', { models: ['gpt-5', 'gpt-4o'], messages }).action).toBe(
      'pass',
    );
  });

  test('may be told something else', () => {
    const secret = [{ role: 'user', content: 'a secret' }];
    const body = { model: 'gpt-5', messages, fallbacks: [{ model: 'gpt-4o', messages: secret }] };
    const { facts } = asked(protocolOf('openai'), 'chat.completions', body);
    const rule = judgeOf({
      phase: 'request',
      when: 'request.text.contains("secret") && request.model == "gpt-4o"',
      action: 'deny',
    });
    expect(rule.judge('request', { request: { ...requestFacts(), ...facts } }).action).toBe('deny');
  });

  test.each([[{ fallbacks: [{ other: 'x' }] }], [{ models: [1] }], [{ models: {} }]])(
    'that cannot be read is a doubt: %j',
    (own) => {
      expect(
        asked(protocolOf('openai'), 'chat.completions', { model: 'gpt-5', messages, ...own }).defects,
      ).toHaveLength(1);
    },
  );
});

test('what is strictest of all that may be run counts', () => {
  const insteads = [{ model: 'b', params: { limit: '1,000' } }];
  const request = { ...requestFacts({ model: 'a', params: { limit: '1' } }), insteads };
  const rule = (action: 'deny' | 'flag', when: string) => judgeOf({ phase: 'request', action, when });
  const judge = (action: 'deny' | 'flag', when: string) =>
    rule(action, when).judge('request', { request }).action;
  expect(judge('flag', 'num(request.params.limit) > 10.0')).toBe('hold');
  expect(judge('deny', 'request.model == "a" || num(request.params.limit) > 10.0')).toBe('deny');
  expect(judge('deny', 'request.model == "c"')).toBe('pass');
});
