/** What providers say, as bytes: small whole answers and streams of every API family. */

const chatFrame = { id: 'chatcmpl-1', created: 1_700_000_000, model: 'gpt-4.1' };
const usage = { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 };

/** A whole chat completion that says `text`. */
export function chatText(text: string): string {
  const message = { role: 'assistant', content: text };
  const choices = [{ index: 0, message, finish_reason: 'stop' }];
  return JSON.stringify({ object: 'chat.completion', ...chatFrame, choices, usage });
}

/** A whole chat completion that asks for transfer_funds. */
export function chatTransfer(amount: number): string {
  const fn = { name: 'transfer_funds', arguments: JSON.stringify({ amount, to: 'DE89' }) };
  const message = {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'call_1', type: 'function', function: fn }],
  };
  const choices = [{ index: 0, message, finish_reason: 'tool_calls' }];
  return JSON.stringify({ object: 'chat.completion', ...chatFrame, choices, usage });
}

function chatChunk(delta: unknown, finish: string | null = null): string {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  return `data: ${JSON.stringify({ object: 'chat.completion.chunk', ...chatFrame, choices })}\n\n`;
}

export const chatRole = chatChunk({ role: 'assistant', content: '' });
export const chatDelta = (text: string): string => chatChunk({ content: text });
export const chatStop = chatChunk({}, 'stop');
export const done = 'data: [DONE]\n\n';

/** The events of a streamed call of transfer_funds, its arguments in two pieces, without the end. */
export function chatTransferEvents(amount: number, index = 0): readonly string[] {
  const text = JSON.stringify({ amount, to: 'DE89' });
  const piece = (from: number, to?: number) => ({ function: { arguments: text.slice(from, to) } });
  const named = {
    id: `call_${index + 1}`,
    type: 'function',
    function: { name: 'transfer_funds', arguments: '' },
  };
  return [
    chatChunk({ tool_calls: [{ index, ...named }] }),
    chatChunk({ tool_calls: [{ index, ...piece(0, 5) }] }),
    chatChunk({ tool_calls: [{ index, ...piece(5) }] }),
  ];
}

export const chatToolsEnd = chatChunk({}, 'tool_calls') + done;

/** The body of a chat request. */
export function chatRequest(more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ model: 'gpt-4.1', messages: [{ role: 'user', content: 'Please.' }], ...more });
}

const transferInput = (amount: number): string => JSON.stringify({ amount, to: 'DE89' });
const event = (data: { readonly type: string }): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;

export const messagesRequest = JSON.stringify({
  model: 'claude-opus-5-5',
  max_tokens: 10,
  stream: true,
  messages: [{ role: 'user', content: 'Please.' }],
});

/** A streamed Anthropic message that asks for transfer_funds. */
export function messagesTransfer(amount: number): string {
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-opus-5-5',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 3, output_tokens: 1 },
  };
  const block = { type: 'tool_use', id: 'toolu_1', name: 'transfer_funds', input: {} };
  const delta = { type: 'input_json_delta', partial_json: transferInput(amount) };
  const end = { delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 5 } };
  return [
    { type: 'message_start', message },
    { type: 'content_block_start', index: 0, content_block: block },
    { type: 'content_block_delta', index: 0, delta },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', ...end },
    { type: 'message_stop' },
  ]
    .map(event)
    .join('');
}

export const responsesRequest = JSON.stringify({ model: 'gpt-4.1', stream: true, input: 'Please.' });

/** A streamed OpenAI response that asks for transfer_funds. */
export function responsesTransfer(amount: number): string {
  const input = transferInput(amount);
  const base = { id: 'resp_1', object: 'response', created_at: 1_700_000_000, model: 'gpt-4.1' };
  const item = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'transfer_funds' };
  const whole = { ...item, arguments: input, status: 'completed' };
  const tokens = { input_tokens: 3, output_tokens: 5, total_tokens: 8 };
  const at = { item_id: 'fc_1', output_index: 0 };
  return [
    { type: 'response.created', response: { ...base, status: 'in_progress', output: [] } },
    {
      type: 'response.output_item.added',
      output_index: 0,
      item: { ...item, arguments: '', status: 'in_progress' },
    },
    { type: 'response.function_call_arguments.delta', ...at, delta: input },
    { type: 'response.function_call_arguments.done', ...at, arguments: input },
    { type: 'response.output_item.done', output_index: 0, item: whole },
    {
      type: 'response.completed',
      response: { ...base, status: 'completed', output: [whole], usage: tokens },
    },
  ]
    .map((data, at) => event(Object.assign(data, { sequence_number: at })))
    .join('');
}
