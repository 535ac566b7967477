/** The content of a call as the API shows it: the sealed messages and what was understood of them. */
import { z } from 'zod';

const rawMessageSchema = z
  .object({
    startLine: z.string(),
    headers: z
      .array(z.string())
      .describe('Names and values in turn, as sent; secrets were taken out before sealing.'),
    body: z.string().describe('The body as text, content coding undone.'),
  })
  .meta({ id: 'RawMessage', description: 'An HTTP message as it was sealed.' });

const callReading = {
  name: z.string(),
  arguments: z.unknown().describe('Parsed; {} when they were empty or did not parse.'),
  argumentsText: z.string().describe('Exactly as the provider sent them.'),
};

export const toolCallSchema = z
  .object({
    id: z.string(),
    ...callReading,
    alsoAs: z
      .array(z.object(callReading))
      .optional()
      .describe(
        'The same call as others name or read it, where they do: as the server of its tool calls it, with its namespace, or with a number as some client reads it. Rules see each.',
      ),
  })
  .meta({ id: 'ToolCall', description: 'One tool call as the model asked for it.' });

const messageSchema = z
  .object({ role: z.string(), text: z.string(), toolCalls: z.array(toolCallSchema) })
  .meta({ id: 'Message', description: 'One message of the conversation.' });

const requestSchema = z
  .object({
    provider: z.string(),
    operation: z.string(),
    method: z.string(),
    path: z.string(),
    model: z.string(),
    stream: z.boolean(),
    params: z.record(z.string(), z.unknown()),
    system: z.string(),
    messages: z.array(messageSchema),
    text: z.string().describe('Everything the model reads as text.'),
    tools: z.array(z.object({ name: z.string(), description: z.string() })),
    raw: rawMessageSchema,
  })
  .meta({ id: 'RequestContent', description: 'A request to a model, as sealed and as understood.' });

const responseSchema = z
  .object({
    status: z.int(),
    model: z.string(),
    fingerprint: z.string(),
    text: z.string(),
    toolCalls: z.array(toolCallSchema),
    finishReason: z.string(),
    usage: z.object({
      source: z.enum(['provider', 'absent']),
      inputTokens: z.number(),
      outputTokens: z.number(),
      totalTokens: z.number(),
    }),
    refusal: z.string(),
    streamed: z.boolean(),
    raw: rawMessageSchema,
  })
  .meta({ id: 'ResponseContent', description: 'An answer of a model, as sealed and as understood.' });

export const exchangeSchema = z
  .object({
    request: requestSchema,
    response: responseSchema.nullable().describe('Null while there is none.'),
    amendedRequest: requestSchema
      .nullable()
      .describe(
        'What a reviewer put in the place of the request, which went out instead; null where nobody did.',
      ),
    amendedResponse: responseSchema
      .nullable()
      .describe(
        'What a reviewer put in the place of the answer, with fewer calls or other ones, which the workload gets instead; null where nobody did.',
      ),
    defects: z.array(z.string()).describe('What could not be read.'),
  })
  .meta({
    id: 'Exchange',
    description:
      'A request as the workload sent it, the provider’s answer, and what reviewers put in their place.',
  });
