/**
 * The `@aws-sdk/client-bedrock-runtime` SDK: InvokeModel and InvokeModelWithResponseStream. The SDK hands bytes
 * over both ways; what is in them is the model's own form, here Anthropic's, and the workload's to read.
 */
import {
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
  type ResponseStream,
} from '@aws-sdk/client-bedrock-runtime';
import { z } from 'zod';
import { bedrockClientAt, bedrockModel } from './bedrock.ts';
import {
  type Asked,
  type AskOptions,
  type Client,
  parameters,
  toolDescription,
  toolName,
  usageOf,
} from './client.ts';

const usageSchema = z.object({ input_tokens: z.number().optional(), output_tokens: z.number().optional() });
const blockSchema = z.object({
  type: z.string(),
  text: z.string().optional(),
  id: z.string().optional(),
  name: z.string().optional(),
  input: z.unknown().optional(),
});
const messageSchema = z.object({
  content: z.array(blockSchema),
  stop_reason: z.string().nullable(),
  usage: usageSchema,
});
const eventSchema = z.object({
  message: z.object({ usage: usageSchema }).optional(),
  content_block: blockSchema.optional(),
  delta: z
    .object({
      text: z.string().optional(),
      partial_json: z.string().optional(),
      stop_reason: z.string().nullish(),
    })
    .optional(),
  usage: usageSchema.optional(),
});

const parsed = <T>(schema: z.ZodType<T>, bytes: Uint8Array): T =>
  schema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));

export const bedrockInvoke: Client = {
  name: 'InvokeModel',
  packages: ['@aws-sdk/client-bedrock-runtime'],
  protocol: 'bedrock',
  model: bedrockModel,
  http2: true,
  retries: true,
  denial: 'AccessDeniedException',
  async ask(base, prompt, options) {
    const client = bedrockClientAt(base, options);
    const body = JSON.stringify({
      anthropic_version: 'bedrock-2023-05-31',
      max_tokens: 1_000,
      messages: [{ role: 'user', content: [{ type: 'text', text: prompt }] }],
      tools: [{ name: toolName, description: toolDescription, input_schema: parameters }],
    });
    const input = {
      modelId: options.model ?? bedrockModel,
      contentType: 'application/json',
      accept: 'application/json',
      body,
    };
    const given = options.signal === undefined ? {} : { abortSignal: options.signal };
    try {
      if (options.stream) {
        const answer = await client.send(new InvokeModelWithResponseStreamCommand(input), given);
        if (answer.body === undefined) throw new Error('There was no stream.');
        return await collect(answer.body, options);
      }
      const message = parsed(messageSchema, (await client.send(new InvokeModelCommand(input), given)).body);
      return {
        text: message.content.map(({ text = '' }) => text).join(''),
        calls: message.content.flatMap(({ type, id = null, name = '', input: args }) =>
          type === 'tool_use' ? [{ id, name, args }] : [],
        ),
        finish: message.stop_reason,
        usage: usageOf(message.usage.input_tokens, message.usage.output_tokens),
      };
    } finally {
      client.destroy();
    }
  },
};

async function collect(stream: AsyncIterable<ResponseStream>, { onPiece }: AskOptions): Promise<Asked> {
  let text = '';
  let finish: string | null = null;
  let input: number | undefined;
  let output: number | undefined;
  const calls: { id: string | null; name: string; json: string }[] = [];
  for await (const { chunk } of stream) {
    if (chunk?.bytes === undefined) continue;
    const event = parsed(eventSchema, chunk.bytes);
    const block = event.content_block;
    if (block?.type === 'tool_use') {
      calls.push({ id: block.id ?? null, name: block.name ?? '', json: '' });
      onPiece?.('');
    }
    if (event.delta?.text !== undefined) {
      text += event.delta.text;
      onPiece?.(event.delta.text);
    }
    const call = calls.at(-1);
    if (call !== undefined) call.json += event.delta?.partial_json ?? '';
    finish = event.delta?.stop_reason ?? finish;
    input = event.message?.usage.input_tokens ?? input;
    output = event.usage?.output_tokens ?? output;
  }
  const asked = calls.map(({ id, name, json }) => ({ id, name, args: JSON.parse(json) as unknown }));
  return { text, calls: asked, finish, usage: usageOf(input, output) };
}
