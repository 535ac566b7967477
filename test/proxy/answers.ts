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
