/**
 * The providers of the matrix: a mock that others wrote, which speaks every family, and a server made of
 * bytes before it, which stops its streams half-way: silent, broken off, or with the provider's own error.
 */
import { type ChatCompletionRequest, type FixtureResponse, LLMock } from '@copilotkit/aimock';
import type { ProtocolName } from '../../src/core/protocol-name.ts';
import { atEnd } from '../support/endings.ts';
import { chunk, type RawAnswer, type ReceivedRequest, startRawUpstream } from '../support/raw-upstream.ts';
import { cutOf, inBandErrorOf, refusalOf } from './transcripts.ts';

export interface Upstreams {
  /** Where the mock answers. */
  readonly whole: string;
  /** Where its streams stop half-way. */
  readonly halved: string;
  /** How often a question reached the mock. */
  asked(prompt: string): number;
  /** Resolves once the connection over which this question was answered half-way was closed by its client. */
  hungUp(prompt: string): Promise<void>;
}

/** Questions, by what is to come back; each number makes another question. */
export const questions = {
  text: (n: number) => `Tell me about photosynthesis, part ${n}.`,
  transfer: (...amounts: number[]) => `Please ${amounts.map((n) => `transfer ${n} EUR`).join(' and ')}.`,
  textThenTransfer: (amount: number) => `Say a word, then transfer ${amount} EUR.`,
  refusal: (status: number, n: number) => `Refuse this with ${status}, case ${n}.`,
  silence: (n: number) => `Fall silent about photosynthesis, part ${n}.`,
  breakOff: (n: number) => `Break off about photosynthesis, part ${n}.`,
  failure: (n: number) => `Fail about photosynthesis, part ${n}.`,
};

const note = 'for “fruit”\n\\ tab\t🌱';
export const spoken = `Plants turn light into sugar — ☀️ → 🌱. ${'They do so every day. '.repeat(6)}`.trim();
const usage = { prompt_tokens: 11, completion_tokens: 23, total_tokens: 34 };

/** The arguments with which the mock calls transfer_funds. */
export const argumentsOf = (amount: number) => ({ amount, currency: 'EUR', note });

function answerTo(prompt: string): FixtureResponse {
  const amounts = [...prompt.matchAll(/transfer (\d+) EUR/g)].map((match) => Number(match[1]));
  const toolCalls = amounts.map((amount) => ({
    id: `call_${amount}`,
    name: 'transfer_funds',
    arguments: JSON.stringify(argumentsOf(amount)),
  }));
  if (toolCalls.length === 0) return { content: spoken, usage };
  return prompt.startsWith('Say')
    ? { content: 'One moment, please.', toolCalls, usage }
    : { toolCalls, usage };
}

function promptOf({ messages }: ChatCompletionRequest): string {
  const content = messages.findLast(({ role }) => role === 'user')?.content ?? '';
  return typeof content === 'string' ? content : content.map(({ text = '' }) => text).join('');
}

/** Starts both. */
export async function startUpstreams(): Promise<Upstreams> {
  const counts = new Map<string, number>();
  const mock = new LLMock({ port: 0, chunkSize: 7, journalMaxEntries: 1 });
  mock.on({ predicate: () => true }, (request) => {
    const prompt = promptOf(request);
    counts.set(prompt, (counts.get(prompt) ?? 0) + 1);
    return answerTo(prompt);
  });
  await mock.start();
  atEnd(() => mock.stop());

  const closings = new Map<string, Promise<void>[]>();
  const halved = await startRawUpstream((request, answer) => halve(request, answer, mock.url, closings));
  return {
    whole: mock.url,
    halved: halved.url,
    asked: (prompt) => counts.get(prompt) ?? 0,
    hungUp: async (prompt) => {
      await closings.get(prompt)?.shift();
    },
  };
}

const asked = /(Refuse this with (\d+)|Fall silent|Break off|Fail)\b[^"\\]*\./;
const passedOn = ['content-type', 'accept', 'anthropic-version'];

async function halve(
  request: ReceivedRequest,
  answer: RawAnswer,
  mockUrl: string,
  closings: Map<string, Promise<void>[]>,
): Promise<void> {
  const [prompt = '', what = '', status] = asked.exec(request.body.toString()) ?? [];
  if (status !== undefined) return answer.send(refusalOf(request.target, Number(status)));
  const headers = passedOn.flatMap((name): [string, string][] => {
    const value = new RegExp(`\\r\\n${name}: *([^\\r]*)`, 'i').exec(request.head)?.[1];
    return value === undefined ? [] : [[name, value]];
  });
  const body = request.body.toString();
  const response = await fetch(mockUrl + request.target, { method: request.method, headers, body });
  const type = response.headers.get('content-type') ?? '';
  const half = cutOf(Buffer.from(await response.arrayBuffer()), type);
  closings.set(prompt, [...(closings.get(prompt) ?? []), answer.closed]);
  answer.send(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n`);
  answer.send(chunk(half));
  if (what === 'Break off') answer.end();
  if (what === 'Fail') {
    answer.send(chunk(inBandErrorOf(request.target)));
    answer.send('0\r\n\r\n');
  }
}

/** Both upstreams for each family, as a sidecar's configuration names them. */
export function mountsOf(families: readonly ProtocolName[], { whole, halved }: Upstreams) {
  return Object.fromEntries(
    families.flatMap((protocol) => [
      [protocol, { url: whole, protocol, mount: `/${protocol}` }],
      [`half_${protocol}`, { url: halved, protocol, mount: `/half/${protocol}` }],
    ]),
  );
}
