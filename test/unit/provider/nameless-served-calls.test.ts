/** Calls that Anthropic ran and that have no id: a withheld one takes with it what answered it, and nothing else. */
import { expect, test } from 'vitest';
import { protocolOf } from '../../../src/provider/index.ts';
import type { StreamForm } from '../../../src/provider/protocol.ts';
import { amended } from './lines.ts';
import { typedEvents } from './streams.ts';

const anthropic = protocolOf('anthropic');
const call = { type: 'server_tool_use', name: 'web_search', input: { query: 'secret' } };
const found = { type: 'web_search_tool_result', content: ['secret'] };
const thinking = { type: 'thinking', thinking: 'Hm.', signature: 's' };
const text = { type: 'text', text: 'Done.' };
const content = [call, found, thinking, text];

const whole = JSON.stringify({ content, stop_reason: 'end_turn' });
const streamed = typedEvents(
  { type: 'message_start', message: { role: 'assistant', content: [] } },
  ...content.flatMap((content_block, index) => [
    { type: 'content_block_start', index, content_block },
    { type: 'content_block_stop', index },
  ]),
  { type: 'message_delta', delta: { stop_reason: 'end_turn' } },
  { type: 'message_stop' },
);

test.each<[string, StreamForm | null, string]>([
  ['whole', null, whole],
  ['streamed', 'sse', streamed],
])('one without takes its result and leaves thinking and text: %s', (_name, form, answer) => {
  const left = amended(form, anthropic, 'messages', answer, { withheld: ['#1'] });
  expect(left).not.toContain('secret');
  for (const kept of [thinking, text]) expect(left).toContain(JSON.stringify(kept));
});

test('one with an id takes with it all that names it, of whatever kind that is', () => {
  const file = { type: 'container_upload', tool_use_id: 's', file_id: 'secret' };
  const answer = JSON.stringify({ content: [{ ...call, id: 's' }, file, text], stop_reason: 'end_turn' });
  const left = amended(null, anthropic, 'messages', answer, { withheld: ['s'] });
  expect(JSON.parse(left).content).toEqual([text]);
});
