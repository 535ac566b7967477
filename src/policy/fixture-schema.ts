/** A rule's own test as people write it in the policy file: facts, and whether the rule matches on them. */
import { z } from 'zod';
import { factHeaders } from '../core/fact-headers.ts';
import { protocolNames } from '../core/protocol-name.ts';
import { labels } from './classify/suspicion.ts';

const toolCallFixture = z.strictObject({
  id: z.string().optional(),
  name: z.string().optional(),
  arguments: z.json().optional().describe('The parsed arguments; {} when absent.'),
  argumentsText: z
    .string()
    .optional()
    .describe('As the model wrote them; the JSON of `arguments` when absent.'),
});

/** Nothing that no request has: a rule that asks for such a thing would match here, and never a call. */
const requestFixture = z.strictObject({
  provider: z
    .enum([...protocolNames, ''])
    .optional()
    .describe("The API family; '' of a decision that was reported without one."),
  operation: z.string().optional(),
  method: z
    .string()
    .regex(/^[A-Z-]+$/, 'it must be in capitals, as methods are sent')
    .optional(),
  path: z
    .string()
    .regex(/^[^?#]*$/, 'it must be without what stands behind the ?, which rules do not see')
    .optional(),
  model: z.string().optional(),
  stream: z.boolean().optional(),
  params: z
    .record(
      z.string(),
      z.union(
        [z.string(), z.number(), z.boolean()],
        'it must be a text, a number, true or false: rules see no lists and maps among the params',
      ),
    )
    .optional()
    .describe('Texts, numbers, true and false: rules see no lists and maps among the params.'),
  system: z.string().optional(),
  messages: z
    .array(
      z.strictObject({
        role: z.string().optional(),
        text: z.string().optional(),
        toolCalls: z.array(toolCallFixture).optional(),
      }),
    )
    .optional(),
  text: z.string().optional().describe('The system text and the messages, joined, when absent.'),
  tokenIds: z
    .int()
    .min(0)
    .optional()
    .describe('How many token ids stand where words would; none when absent.'),
  unjudgedFiles: z
    .array(z.string())
    .optional()
    .describe('Files of requests that run with this one and were not judged when they were uploaded.'),
  tools: z
    .array(z.strictObject({ name: z.string().optional(), description: z.string().optional() }))
    .optional(),
  headers: z
    .partialRecord(z.enum(factHeaders), z.string())
    .optional()
    .describe('Rules see no others; their names are in lower case.'),
  workload: z.string().optional(),
  subject: z.string().optional(),
  purpose: z.string().optional(),
  session: z.string().optional(),
});

const count = z.int().min(0);

const responseFixture = z.strictObject({
  status: z.int().min(100).max(599).optional(),
  model: z.string().optional(),
  fingerprint: z.string().optional(),
  text: z.string().optional(),
  toolCalls: z.array(toolCallFixture).optional(),
  finishReason: z.string().optional(),
  usage: z
    .strictObject({
      source: z.enum(['provider', 'absent']).optional(),
      inputTokens: count.optional(),
      outputTokens: count.optional(),
      totalTokens: count.optional(),
    })
    .optional(),
  refusal: z.string().optional(),
});

export const fixtureSchema = z
  .strictObject({
    name: z.string().min(1).max(120),
    expect: z
      .enum(['match', 'no-match', 'error'])
      .describe('`error`: the rule cannot be decided on these facts, and therefore holds.'),
    request: requestFixture.optional(),
    response: responseFixture.optional(),
    labels: z
      .array(z.enum(labels))
      .optional()
      .describe('What is suspected; the classifiers say it of the texts above where this is left out.'),
  })
  .describe('Facts the rule is tried on each time the policy is loaded. What is left out is neutral.');
