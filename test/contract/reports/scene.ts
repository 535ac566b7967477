/** Decisions that were made elsewhere, as they are reported. */
import { expect } from 'vitest';
import { z } from 'zod';
import type { House } from '../support/sidecar.ts';

const resultSchema = z.object({
  line: z.number(),
  id: z.string(),
  status: z.enum(['sealed', 'known', 'refused']),
  decision: z.string().optional(),
  rules: z.array(z.string()).optional(),
  code: z.string().optional(),
  next: z.string().optional(),
});
const summarySchema = z.object({
  summary: z.object({
    lines: z.number(),
    sealed: z.number(),
    known: z.number(),
    refused: z.number(),
    complete: z.boolean(),
  }),
});

export const plain = { at: '2026-11-26T08:15:00Z', decider: 'loan-engine 4.2', outcome: 'denied' };
/** A decision that was made elsewhere, by a chat's answer. */
export const chat = (id: string, others: object = {}) => ({
  ...{ id, ...plain, provider: 'openai', path: '/v1/chat/completions', workload: 'loans' },
  request: { model: 'gpt-4.1', messages: [{ role: 'user', content: `question ${id}` }] },
  answer: {
    id: 'c1',
    object: 'chat.completion',
    model: 'gpt-4.1-2025',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'No.' } }],
    usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
  },
  ...others,
});

/** What is answered to such lines. */
export async function report(house: House, lines: readonly (object | string)[]) {
  const body = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  const answer = await house.call('/api/v1/decisions:batch', {
    as: 'reporter',
    headers: { 'content-type': 'application/x-ndjson' },
    body,
  });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
  const values: unknown[] = answer.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const { summary } = summarySchema.parse(values.at(-1));
  return { results: z.array(resultSchema).parse(values.slice(0, -1)), summary };
}

/** The decision that one line becomes. */
export async function sealedOne(house: House, line: object): Promise<string> {
  const { results } = await report(house, [line]);
  expect(results).toMatchObject([{ line: 1, status: 'sealed' }]);
  return results[0]?.decision ?? '';
}

export const shown = async (house: House, id: string) =>
  z
    .looseObject({
      outcome: z.string().nullable(),
      verdict: z.string(),
      rules: z.array(z.string()),
      reported: z.record(z.string(), z.string()).nullable(),
      entries: z.array(z.looseObject({ type: z.string(), data: z.record(z.string(), z.unknown()) })),
    })
    .parse((await house.call(`/api/v1/decisions/${id}`)).json);
