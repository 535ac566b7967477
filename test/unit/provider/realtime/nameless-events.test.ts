/** Events of the Realtime API's answers that name no response, while none is under way. */
import { expect, test } from 'vitest';
import { socketDialectAt } from '../../../../src/provider/realtime/dialects.ts';

function read(event: object) {
  const reader = socketDialectAt('/v1/realtime')?.open('/v1/realtime?model=gpt-realtime');
  return reader?.readServer({ data: Buffer.from(JSON.stringify(event)), binary: false });
}
const place = { event_id: 'event_1', item_id: 'item_1', output_index: 0, content_index: 0 };

test.each([
  { type: 'response.function_call_arguments.delta', delta: '{' },
  { type: 'response.custom_tool_call_input.done', input: 'rm -rf /' },
  { type: 'response.code_interpreter_call_code.done', code: 'print(1)' },
  { type: 'response.refusal.done', refusal: 'I will not say the secret.' },
  { type: 'response.something_new', words: ['a secret'] },
])('$type is an answer by itself, which nobody can read', (event) => {
  expect(read({ ...place, ...event })).toMatchObject({ kind: 'tool', alone: true, ends: true });
});

test.each([
  { type: 'response.mcp_call.in_progress' },
  { type: 'response.mcp_call.completed', sequence_number: 3 },
])('$type says how far one has got, and passes', (event) =>
  expect(read({ ...place, ...event })).toMatchObject({ answer: null, survives: true }),
);
