/**
 * What of each API's documented ways to have code run, a screen used or a remote tool called the default policy holds. The
 * answers are written as the references below them have them, in our words.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { ProtocolName } from '../../../src/core/protocol-name.ts';
import { loadPolicy } from '../../../src/policy/compile.ts';
import { protocolOf } from '../../../src/provider/index.ts';
import { requestFacts } from './support.ts';

const policy = loadPolicy(
  'config/policy.yaml',
  readFileSync(new URL('../../../config/policy.yaml', import.meta.url), 'utf8'),
);

function actionOn(family: ProtocolName, operation: string, answer: unknown): string {
  const { facts, defects } = protocolOf(family).readResponse(
    operation,
    200,
    Buffer.from(JSON.stringify(answer)),
  );
  expect(defects).toEqual([]);
  return policy.judge('response', { request: requestFacts({}), response: facts, labels: [] }).action;
}

/** https://developers.openai.com/api/reference/resources/responses */
const items: readonly (readonly [string, object])[] = [
  ['local_shell_call', { action: { type: 'exec', command: ['ls'], env: {} } }],
  ['shell_call', { action: { commands: ['ls'], max_output_length: null, timeout_ms: null } }],
  ['apply_patch_call', { operation: { type: 'delete_file', path: 'notes.txt' } }],
  ['computer_call', { actions: [{ type: 'click', button: 'left', x: 1, y: 2 }], pending_safety_checks: [] }],
  ['code_interpreter_call', { container_id: 'c', code: 'print(1)', outputs: null }],
  ['mcp_call', { server_label: 's', name: 'pay', arguments: '{"to":"x"}' }],
  ['mcp_approval_request', { server_label: 's', name: 'pay', arguments: '{"to":"x"}' }],
  ['program', { call_id: 'p', code: 'await tools.pay({})', fingerprint: 'f' }],
];

describe('of OpenAI’s responses the default policy holds', () => {
  test.each(items)('%s', (type, own) => {
    const output = [{ id: 'i', call_id: 'c', type, status: 'completed', ...own }];
    expect(actionOn('openai', 'responses', { status: 'completed', output })).toBe('hold');
  });

  test.each(items)('%s where a conversation is read back', (type, own) => {
    const data = [{ id: 'i', call_id: 'c', type, status: 'completed', ...own }];
    expect(actionOn('openai', 'conversations.items', { object: 'list', data })).toBe('hold');
  });
});

describe('of OpenAI’s agents the default policy holds', () => {
  // https://developers.openai.com/api/docs/guides/agents-api/sessions/events
  test.each([
    ['command_execution', { command: 'ls', status: 'in_progress' }],
    ['mcp_tool_call', { server_label: 's', name: 'pay', arguments: '{}' }],
    ['mcp_approval_request', { server_label: 's', name: 'pay', arguments: '{}' }],
    ['computer_use_call', { action: 'click' }],
    ['computer_use_approval_request', { reason: 'browser_origin_access' }],
  ])('%s', (type, own) => {
    const data = [{ id: 'i', type, ...own }];
    expect(actionOn('openai', 'agents.sessions', { object: 'list', data })).toBe('hold');
  });
});

describe('of Anthropic’s messages the default policy holds', () => {
  // https://platform.claude.com/docs/en/agents-and-tools/tool-use
  test.each([
    ['code execution', { type: 'server_tool_use', name: 'code_execution', input: { code: 'print(1)' } }],
    ['its shell', { type: 'server_tool_use', name: 'bash_code_execution', input: { command: 'ls' } }],
    [
      'its editor',
      { type: 'server_tool_use', name: 'text_editor_code_execution', input: { command: 'create' } },
    ],
    ['the shell', { type: 'tool_use', name: 'bash', input: { command: 'ls' } }],
    ['the editor', { type: 'tool_use', name: 'str_replace_based_edit_tool', input: { command: 'create' } }],
    [
      'the computer',
      { type: 'tool_use', name: 'computer', input: { action: 'left_click', coordinate: [1, 2] } },
    ],
    [
      'the computer’s toolset',
      { type: 'tool_use', toolset_name: 'computer', name: 'left_click', input: { coordinate: [1, 2] } },
    ],
    ['its keyboard', { type: 'tool_use', toolset_name: 'computer', name: 'type', input: { text: 'x' } }],
    [
      'the browser’s toolset',
      { type: 'tool_use', toolset_name: 'browser', name: 'javascript_exec', input: { text: '1' } },
    ],
    [
      'a form in it',
      { type: 'tool_use', toolset_name: 'browser', name: 'form_input', input: { ref: 'a', value: 'b' } },
    ],
    [
      'what code calls',
      {
        type: 'tool_use',
        name: 'pay',
        input: { amount: 1, iban: 'x' },
        caller: { type: 'code_execution_20260120', tool_id: 's' },
      },
    ],
    ['a remote tool', { type: 'mcp_tool_use', server_name: 's', name: 'pay', input: {} }],
  ])('%s', (_what, block) => {
    const content = [{ id: 'toolu_1', ...block }];
    expect(actionOn('anthropic', 'messages', { type: 'message', content })).toBe('hold');
  });
});

describe('of Google’s the default policy holds', () => {
  // https://ai.google.dev/gemini-api/docs/code-execution and /computer-use
  test.each([
    ['code that Google runs', { executableCode: { language: 'PYTHON', code: 'print(1)' } }],
    ['a click', { functionCall: { name: 'click_at', args: { x: 1, y: 2 } } }],
    ['typing', { functionCall: { name: 'type_text_at', args: { x: 1, y: 2, text: 'x' } } }],
  ])('%s', (_what, part) => {
    const candidates = [{ content: { role: 'model', parts: [part] }, finishReason: 'STOP' }];
    expect(actionOn('gemini', 'generate_content', { candidates })).toBe('hold');
  });

  // https://ai.google.dev/api/interactions-api
  test('code in an interaction', () => {
    const steps = [{ type: 'code_execution_call', id: 'c', arguments: { language: 'python', code: '1' } }];
    expect(actionOn('gemini', 'interactions', { status: 'completed', steps })).toBe('hold');
  });
});

// https://docs.mistral.ai/agents/connectors/code_interpreter
test('of Mistral’s conversations the default policy holds code that Mistral runs', () => {
  const outputs = [{ type: 'tool.execution', id: 'c', name: 'code_interpreter', arguments: '{"code":"1"}' }];
  expect(actionOn('mistral', 'conversations', { outputs })).toBe('hold');
});
