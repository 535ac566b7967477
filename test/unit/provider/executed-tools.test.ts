/** Tools that a provider ran itself while it answered a chat: rules see their calls as they see those of a Responses answer. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { ResponseFacts } from '../../../src/core/facts.ts';
import { loadPolicy } from '../../../src/policy/compile.ts';
import { protocolOf } from '../../../src/provider/index.ts';
import { requestFacts } from '../policy/support.ts';
import { amended, codeOf, readAs } from './lines.ts';
import { events } from './streams.ts';

const policy = loadPolicy('policy.yaml', readFileSync('config/policy.yaml', 'utf8'));
const openai = protocolOf('openai');
const operation = 'chat.completions';

function rulesOn(response: ResponseFacts): readonly string[] {
  return policy.judge('response', { request: requestFacts(), response }).matches.map(({ rule }) => rule);
}

const ran = [
  // https://console.groq.com/docs/tool-use/built-in-tools
  [
    'executed_tools',
    { index: 0, type: 'python', arguments: '{"code":"import os"}', output: '1' },
    { name: 'python', arguments: { code: 'import os' } },
  ],
  [
    'executed_tools',
    { index: 0, type: 'code_interpreter', name: 'python', arguments: 'import os', output: '1' },
    { name: 'code_interpreter', arguments: { arguments: 'import os' } },
  ],
  // https://openrouter.ai/docs/guides/features/server-tools
  [
    'reasoning_details',
    {
      index: 0,
      type: 'reasoning.server_tool_call',
      tool_call_id: 'c1',
      tool_name: 'openrouter:bash',
      arguments: '{"command":"ls"}',
      result: '{}',
    },
    { id: 'c1', name: 'openrouter:bash', arguments: { command: 'ls' } },
  ],
] as const;

describe('a tool that the provider ran in a chat', () => {
  test.each(ran)('is a call in a whole answer: %s %j', (member, entry, call) => {
    const message = { role: 'assistant', content: 'Done.', [member]: [entry] };
    const body = { choices: [{ index: 0, message, finish_reason: 'stop' }] };
    const { facts, defects } = readAs(null, openai, operation, JSON.stringify(body));
    expect(defects).toEqual([]);
    expect(facts.toolCalls).toMatchObject([call]);
    expect(rulesOn(facts)).toEqual(['runs-code']);
  });

  test.each(ran)('is a call in a stream, and its event waits: %s %j', (member, entry, call) => {
    const chunk = (delta: object, finish: string | null = null) => ({
      choices: [{ index: 0, delta, finish_reason: finish }],
    });
    const stream = events(
      chunk({ role: 'assistant', content: 'Do' }),
      chunk({ [member]: [{ ...entry, output: undefined, result: undefined }] }),
      // Told again with what came of it.
      chunk({ [member]: [entry] }),
      chunk({ content: 'ne.' }),
      chunk({}, 'stop'),
      'data: [DONE]\n\n',
    );
    const { facts, defects, kinds } = readAs('sse', openai, operation, stream);
    expect(defects).toEqual([]);
    expect(facts.toolCalls).toMatchObject([call]);
    expect(facts.toolCalls).toHaveLength(1);
    expect(kinds).toEqual(['text', 'tool', 'tool', 'text', 'other', 'end']);
    expect(rulesOn(facts)).toEqual(['runs-code']);
  });

  test('stands behind the calls that the workload makes, which can still be amended', () => {
    const message = {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'a', type: 'function', function: { name: 'pay', arguments: '{"to":"x"}' } }],
      executed_tools: [ran[0][1]],
    };
    const whole = JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'tool_calls' }] });
    const stream = events(
      {
        choices: [
          {
            index: 0,
            delta: { ...message, tool_calls: message.tool_calls.map((one) => ({ index: 0, ...one })) },
            finish_reason: 'tool_calls',
          },
        ],
      },
      'data: [DONE]\n\n',
    );
    for (const [form, original] of [
      [null, whole],
      ['sse', stream],
    ] as const) {
      expect(readAs(form, openai, operation, original).facts.toolCalls.map(({ name }) => name)).toEqual([
        'pay',
        'python',
      ]);
      const next = amended(form, openai, operation, original, {
        toolCalls: [{ id: 'a', arguments: { to: 'y' } }],
      });
      expect(readAs(form, openai, operation, next).facts.toolCalls.map((one) => one.arguments)).toEqual([
        { to: 'y' },
        { code: 'import os' },
      ]);
    }
  });

  test('cannot be amended, as it ran', () => {
    const message = { role: 'assistant', content: 'Done.', executed_tools: [ran[0][1]] };
    const whole = JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }] });
    const [call] = readAs(null, openai, operation, whole).facts.toolCalls;
    const id = call?.id ?? '';
    expect(
      codeOf(() => amended(null, openai, operation, whole, { toolCalls: [{ id, arguments: {} }] })),
    ).toBe('invalid_argument');
    expect(codeOf(() => amended(null, openai, operation, whole, { withheld: [id] }))).not.toBe(
      'nothing was thrown',
    );
  });

  test.each([
    ['reasoning_details', [{ type: 'reasoning.text', text: 'Let me see.' }]],
    ['executed_tools', []],
  ])('is none in %s %j', (member, list) => {
    const message = { role: 'assistant', content: 'Done.', [member]: list };
    const whole = JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }] });
    expect(readAs(null, openai, operation, whole).facts.toolCalls).toEqual([]);
  });

  test.each([
    ['executed_tools', 'python'],
    ['executed_tools', ['python']],
    ['reasoning_details', ['openrouter:bash']],
  ])('that cannot be read is a doubt: %s %j', (member, value) => {
    const message = { role: 'assistant', content: 'Done.', [member]: value };
    const whole = JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }] });
    expect(readAs(null, openai, operation, whole).defects).toHaveLength(1);
  });
});

describe('a tool of a server that OpenRouter calls', () => {
  test.each(['tool_name', 'toolName'])('is known by its own name: %s', (member) => {
    const item = {
      type: 'openrouter:mcp',
      id: 'm',
      status: 'completed',
      server_label: 'bank',
      [member]: 'transfer_funds',
    };
    const { facts } = readAs(
      null,
      openai,
      'responses',
      JSON.stringify({ status: 'completed', output: [item] }),
    );
    expect(facts.toolCalls[0]?.alsoAs?.map(({ name }) => name)).toEqual([
      'transfer_funds',
      'bank.transfer_funds',
    ]);
    expect(rulesOn(facts)).toContain('moves-money');
    expect(rulesOn(facts)).toContain('runs-code');
  });

  test('may be a browser', () => {
    const item = { type: 'openrouter:browser_use', id: 'b', status: 'completed', action: 'click' };
    const { facts } = readAs(
      null,
      openai,
      'responses',
      JSON.stringify({ status: 'completed', output: [item] }),
    );
    expect(rulesOn(facts)).toEqual(['runs-code']);
  });
});
