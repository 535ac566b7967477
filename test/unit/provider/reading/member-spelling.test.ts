/**
 * Members in another case. Servers and gateways written in Go stand behind every family that others speak too, and take
 * `Messages` for `messages`, the later of the two: https://pkg.go.dev/encoding/json#Unmarshal.
 */
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { asked } from '../lines.ts';

const messages = [{ role: 'user', content: 'Hi' }];

const toolResult = (own: object) => ({ role: 'user', content: [{ type: 'tool_result', ...own }] });
const aDocument = (source: object) => ({ role: 'user', content: [{ type: 'document', source }] });

describe.each(['openai', 'azure', 'ollama'] as const)('a request to a server of the family %s', (family) => {
  const protocol = protocolOf(family);
  const chat = (entry: object) => ({ model: 'm', messages: [entry] });
  test.each([
    ['chat.completions', { messages, Messages: messages }],
    ['chat.completions', { messages, meſſages: messages }],
    ['chat.completions', { messages, model: 'm', MODEL: 'other' }],
    ['chat.completions', { messages, Tools: [] }],
    ['chat.completions', chat({ role: 'user', content: 'Hi', Content: 'a secret' })],
    ['chat.completions', chat({ role: 'user', content: [{ type: 'text', text: 'Hi', Text: 'a secret' }] })],
    ['chat.completions', { messages, tools: [{ type: 'function', Function: { name: 'pay' } }] }],
    ['chat.completions', { messages, tools: [{ type: 'function', function: { name: 'x', Name: 'pay' } }] }],
    ['responses', { input: 'Hi', Input: 'a secret' }],
    ['responses', { input: [{ role: 'user', content: 'Hi', Content: 'a secret' }] }],
    ['responses', { input: [{ type: 'function_call_output', output: 'Hi', Output: 'a secret' }] }],
    ['completions', { prompt: 'Hi', Prompt: 'a secret' }],
    ['embeddings', { input: 'Hi', Input: 'a secret' }],
    ['messages', { messages, System: 'a secret' }],
    ['messages', chat({ role: 'user', content: [{ type: 'text', text: 'Hi', Text: 'a secret' }] })],
    ['messages', chat(toolResult({ content: 'Hi', Content: 'a secret' }))],
    ['messages', chat(toolResult({ content: [{ type: 'text', text: 'Hi', Text: 'a secret' }] }))],
    ['messages', chat(aDocument({ type: 'text', data: 'Hi', Data: 'a secret' }))],
    ['messages', chat(aDocument({ type: 'content', content: [{ type: 'text', Text: 'a secret' }] }))],
  ] as const)('to %s is in doubt with a member in two spellings: %j', (operation, body) => {
    expect(asked(protocol, operation, body).defects.join()).toContain('may be read as');
  });

  test.each([
    ['chat.completions', { messages: [{ ...messages[0], Name: 'Ada' }], metadata: { Messages: 'x' } }],
    [
      'chat.completions',
      { messages, tools: [{ type: 'function', function: { name: 'x', parameters: { Name: {} } } }] },
    ],
    ['messages', chat({ role: 'assistant', content: [{ type: 'tool_use', name: 'x', input: { Name: 1 } }] })],
    ['responses', { input: [{ type: 'function_call', name: 'x', arguments: '{"Input":1}' }] }],
  ] as const)('to %s has its own names in whatever case: %j', (operation, body) => {
    expect(asked(protocol, operation, body).defects).toEqual([]);
  });
});
