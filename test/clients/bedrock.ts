/** The `@aws-sdk/client-bedrock-runtime` SDK: Converse. */
import {
  BedrockRuntimeClient,
  ConverseCommand,
  type ConverseCommandInput,
  ConverseStreamCommand,
  type ConverseStreamOutput,
} from '@aws-sdk/client-bedrock-runtime';
import {
  type Asked,
  type AskOptions,
  type Client,
  parameters,
  toolDescription,
  toolName,
  usageOf,
} from './client.ts';

export const bedrockModel = 'anthropic.claude-sonnet-4-5-20250929-v1:0';
export const awsCredentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'the-workloads-own-secret' };
export const awsRegion = 'eu-central-1';

/** A client of the AWS SDK as a workload would set it up for another address. */
export function bedrockClientAt(base: string, { retries }: AskOptions): BedrockRuntimeClient {
  return new BedrockRuntimeClient({
    endpoint: base,
    region: awsRegion,
    credentials: awsCredentials,
    ...(retries === undefined ? {} : { maxAttempts: retries + 1 }),
  });
}

export const bedrockConverse: Client = {
  name: 'Converse',
  packages: ['@aws-sdk/client-bedrock-runtime'],
  protocol: 'bedrock',
  model: bedrockModel,
  http2: true,
  retries: true,
  denial: 'AccessDeniedException',
  async ask(base, prompt, options) {
    const client = bedrockClientAt(base, options);
    const toolSpec = { name: toolName, description: toolDescription, inputSchema: { json: parameters } };
    const input: ConverseCommandInput = {
      modelId: options.model ?? bedrockModel,
      messages: [{ role: 'user', content: [{ text: prompt }] }],
      toolConfig: { tools: [{ toolSpec }] },
    };
    const given = options.signal === undefined ? {} : { abortSignal: options.signal };
    try {
      if (options.stream) {
        const { stream } = await client.send(new ConverseStreamCommand(input), given);
        return await collect(stream ?? emptyStream(), options);
      }
      const { output, stopReason, usage } = await client.send(new ConverseCommand(input), given);
      const content = output?.message?.content ?? [];
      return {
        text: content.map(({ text = '' }) => text).join(''),
        calls: content.flatMap(({ toolUse }) =>
          toolUse === undefined
            ? []
            : [{ id: toolUse.toolUseId ?? null, name: toolUse.name ?? '', args: toolUse.input }],
        ),
        finish: stopReason ?? null,
        usage: usageOf(usage?.inputTokens, usage?.outputTokens),
      };
    } finally {
      client.destroy();
    }
  },
};

async function* emptyStream(): AsyncGenerator<ConverseStreamOutput> {
  // Nothing came.
}

async function collect(stream: AsyncIterable<ConverseStreamOutput>, { onPiece }: AskOptions): Promise<Asked> {
  let text = '';
  let finish: string | null = null;
  let usage: Asked['usage'] = null;
  const calls: { id: string | null; name: string; json: string }[] = [];
  for await (const event of stream) {
    const start = event.contentBlockStart?.start?.toolUse;
    if (start !== undefined) {
      calls.push({ id: start.toolUseId ?? null, name: start.name ?? '', json: '' });
      onPiece?.('');
    }
    const delta = event.contentBlockDelta?.delta;
    if (delta?.text !== undefined) {
      text += delta.text;
      onPiece?.(delta.text);
    }
    const call = calls.at(-1);
    if (delta?.toolUse?.input !== undefined && call !== undefined) call.json += delta.toolUse.input;
    finish = event.messageStop?.stopReason ?? finish;
    const told = event.metadata?.usage;
    if (told !== undefined) usage = usageOf(told.inputTokens, told.outputTokens);
  }
  const parsed = calls.map(({ id, name, json }) => ({ id, name, args: JSON.parse(json) as unknown }));
  return { text, calls: parsed, finish, usage };
}
