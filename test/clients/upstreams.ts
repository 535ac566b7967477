/**
 * The providers of the matrix: a mock that others wrote, which speaks every family, and before it a server
 * made of bytes, which stops streams half-way (silent, broken off, or with the provider's own error) and
 * says what providers document where the mock says it otherwise.
 */
import { type ChatCompletionRequest, type FixtureResponse, LLMock } from '@copilotkit/aimock';
import type { ProtocolName } from '../../src/core/protocol-name.ts';
import { atEnd } from '../support/endings.ts';
import { chunk, type RawAnswer, type ReceivedRequest, startRawUpstream } from '../support/raw-upstream.ts';
import { asAmazonSends } from './amazon-stream.ts';
import type { Client } from './client.ts';
import { cohereStream, cohereV1Answer, cohereV1Stream } from './cohere-streams.ts';
import { startHttp2Front } from './http2-front.ts';
import { argumentsOf, spoken } from './questions.ts';
import type { Said } from './said.ts';
import { cutOf, inBandErrorOf, mistralStream, refusalOf } from './transcripts.ts';

export interface Upstreams {
  /** Where the questions of a family are answered whole. */
  whole(protocol: string): string;
  /** Where the streams of every family stop half-way. */
  readonly halved: string;
  /** Both, for a client that asks them itself. */
  direct(client: Client): { readonly whole: string; readonly halved: string };
  /** How often a question was answered. */
  asked(prompt: string): number;
  /** Resolves once the connection over which this question was answered half-way was closed by its client. */
  hungUp(prompt: string): Promise<void>;
}

const usage = { prompt_tokens: 11, completion_tokens: 23, total_tokens: 34 };

function saidTo(prompt: string): Said {
  const amounts = [...prompt.matchAll(/transfer (\d+) EUR/g)].map((match) => Number(match[1]));
  const toolCalls = amounts.map((amount) => ({
    id: `call_${amount}`,
    name: 'transfer_funds',
    arguments: JSON.stringify(argumentsOf(amount)),
  }));
  if (toolCalls.length === 0) return { content: spoken, toolCalls, usage };
  return { content: prompt.startsWith('Say') ? 'One moment, please.' : '', toolCalls, usage };
}

function mocked({ content, toolCalls }: Said): FixtureResponse {
  if (toolCalls.length === 0) return { content, usage };
  return content === ''
    ? { toolCalls: [...toolCalls], usage }
    : { content, toolCalls: [...toolCalls], usage };
}

function promptOf({ messages }: ChatCompletionRequest): string {
  const content = messages.findLast(({ role }) => role === 'user')?.content ?? '';
  return typeof content === 'string' ? content : content.map(({ text = '' }) => text).join('');
}

/** Families whose own form the mock does not quite speak: for them the server of bytes answers. */
const fronted: ReadonlySet<string> = new Set(['gemini', 'vertex', 'bedrock', 'mistral', 'cohere']);

/** Starts both. */
export async function startUpstreams(): Promise<Upstreams> {
  const counts = new Map<string, number>();
  const count = (prompt: string): number => counts.set(prompt, (counts.get(prompt) ?? 0) + 1).size;
  const mock = new LLMock({ port: 0, chunkSize: 7, journalMaxEntries: 1 });
  mock.on({ predicate: () => true }, (request) => {
    const prompt = promptOf(request);
    count(prompt);
    return mocked(saidTo(prompt));
  });
  await mock.start();
  atEnd(() => mock.stop());

  const closings = new Map<string, Promise<void>[]>();
  const front = await startRawUpstream(async (request, answer) => {
    const [prompt = '', what = '', status] = asked.exec(request.body.toString()) ?? [];
    if (status !== undefined) return answer.send(refusalOf(request, Number(status)));
    const got = documented(request, prompt, count) ?? (await mockAnswer(request, mock.url));
    if (what === 'Fall silent') closings.set(prompt, [...(closings.get(prompt) ?? []), answer.closed]);
    give(got, what, request, answer);
  });
  const overHttp2 = await startHttp2Front(front.url);
  const whole = (protocol: string): string => (fronted.has(protocol) ? front.url : mock.url);
  return {
    whole,
    direct: ({ http2, protocol }) =>
      http2 ? { whole: overHttp2, halved: overHttp2 } : { whole: whole(protocol), halved: front.url },
    halved: front.url,
    asked: (prompt) => counts.get(prompt) ?? 0,
    hungUp: async (prompt) => {
      await closings.get(prompt)?.shift();
    },
  };
}

const asked = /(Refuse this with (\d+)|Fall silent|Break off|Fail|Tell|Say|Please)\b[^"\\]*\./;

interface Got {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

/** The family's own answer where the mock's is another or none; null where the mock may answer. */
function documented(request: ReceivedRequest, prompt: string, count: (prompt: string) => void): Got | null {
  const body = request.body.toString();
  const said = saidTo(prompt);
  const answer = (type: string, text: string): Got => {
    count(prompt);
    return { status: 200, type, body: Buffer.from(text) };
  };
  const streams = /"stream": ?true/.test(body);
  if (request.target.startsWith('/v1/chat') && !request.target.startsWith('/v1/chat/'))
    return streams
      ? answer('application/stream+json', cohereV1Stream(said))
      : answer('application/json', JSON.stringify(cohereV1Answer(said)));
  if (!streams) return null;
  if (request.target.startsWith('/v2/chat')) return answer('text/event-stream', cohereStream(said));
  return body.includes('"model":"mistral') ? answer('text/event-stream', mistralStream(said)) : null;
}

const passedOn = ['content-type', 'accept', 'anthropic-version'];

async function mockAnswer(request: ReceivedRequest, mockUrl: string): Promise<Got> {
  const headers = passedOn.flatMap((name): [string, string][] => {
    const value = new RegExp(`\\r\\n${name}: *([^\\r]*)`, 'i').exec(request.head)?.[1];
    return value === undefined ? [] : [[name, value]];
  });
  // The mock knows the paths of Gemini and of Vertex AI by one of the two versions each, and these with a project.
  const target = request.target
    .replace(/^\/v1\/models\//, '/v1beta/models/')
    .replace(/^\/v1beta1\/projects\//, '/v1/projects/')
    .replace(/^\/v1\/publishers\//, '/v1/projects/p/locations/l/publishers/');
  const body = request.body.toString();
  const response = await fetch(mockUrl + target, { method: request.method, headers, body });
  const type = response.headers.get('content-type') ?? '';
  const got = Buffer.from(await response.arrayBuffer());
  return { status: response.status, type, body: type.includes('eventstream') ? asAmazonSends(got) : got };
}

function give({ status, type, body }: Got, what: string, request: ReceivedRequest, answer: RawAnswer): void {
  const whole = !['Fall silent', 'Break off', 'Fail'].includes(what);
  answer.send(`HTTP/1.1 ${status} OK\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n`);
  answer.send(chunk(whole ? body : cutOf(body, type)));
  if (what === 'Break off') answer.end();
  const error = what === 'Fail' ? inBandErrorOf(request) : null;
  if (error !== null) answer.send(chunk(error));
  if (whole || error !== null) answer.send('0\r\n\r\n');
}

/** Both upstreams for each family, as a sidecar's configuration names them. */
export function mountsOf(families: readonly ProtocolName[], { whole, halved }: Upstreams) {
  return Object.fromEntries(
    families.flatMap((protocol) => [
      [protocol, { url: whole(protocol), protocol, mount: `/${protocol}` }],
      [`half_${protocol}`, { url: halved, protocol, mount: `/half/${protocol}` }],
    ]),
  );
}
