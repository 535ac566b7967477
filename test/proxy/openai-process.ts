/** A workload whose base URL is fixed: the official SDK as it comes, in a process that knows only its environment. */
import OpenAI from 'openai';

const client = new OpenAI({ maxRetries: 0 });
const messages = [{ role: 'user' as const, content: 'Please.' }];
const plain = await client.chat.completions.create({ model: 'gpt-4.1', messages });
const stream = await client.chat.completions.create({ model: 'gpt-4.1', messages, stream: true });
let streamed = '';
for await (const chunk of stream) streamed += chunk.choices[0]?.delta.content ?? '';
process.stdout.write(JSON.stringify({ plain: plain.choices[0]?.message.content, streamed }));
