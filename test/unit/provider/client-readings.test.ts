/** What official clients make of bytes that the standard reads otherwise, beside what rules see of them. */
import { CohereClientV2 } from 'cohere-ai';
import { expect, test } from 'vitest';
import { protocolOf } from '../../../src/provider/index.ts';
import { readStream } from './streams.ts';

/** Answers whatever is asked with one event stream. */
function answering(stream: string): typeof fetch {
  return async () => new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
}

test('a call in a comment, which cohere-ai makes, is not passed unjudged', async () => {
  const started = {
    type: 'tool-call-start',
    index: 0,
    delta: {
      message: { tool_calls: { id: 'a', type: 'function', function: { name: 'pay', arguments: '{}' } } },
    },
  };
  const end = { type: 'message-end', delta: { finish_reason: 'COMPLETE' } };
  const stream = `: data: ${JSON.stringify(started)}\n\ndata: ${JSON.stringify(end)}\n\n`;

  const client = new CohereClientV2({ token: 'none', fetch: answering(stream) });
  const seen: string[] = [];
  for await (const event of await client.chatStream({ model: 'command', messages: [] }))
    seen.push(event.type);
  expect(seen).toContain('tool-call-start');

  const { kinds, defects } = readStream(protocolOf('cohere'), 'chat', stream);
  expect(kinds[0]).toBe('tool');
  expect(defects).toEqual(['a line that is no data has data within it']);
});
