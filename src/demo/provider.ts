/**
 * An embedded model provider for the demonstration and for tests: speaks OpenAI chat completions and
 * responses and Anthropic messages, plain and streaming, and answers deterministically. Binds loopback
 * only and asks for no key. Must not be reachable from a configuration of the sidecar itself.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createServer } from '../core/node-http.ts';
import { type JsonRecord, parsedRecord } from '../provider/wire/json.ts';
import { answerTo } from './answer.ts';
import { type AnswerForm, chatForm, messagesForm, responsesForm } from './forms.ts';

export interface DemoProvider {
  /** `http://127.0.0.1:<port>`, without a path. */
  readonly url: string;
  /** Model calls answered or begun so far; reading the list of models is none. */
  calls(): number;
  /** Stops listening and cuts open connections. */
  close(): Promise<void>;
}

export interface DemoProviderOptions {
  /** 0 picks a free port. */
  readonly port: number;
}

const bodyBytesMax = 8 * 1024 * 1024;

const forms: ReadonlyMap<string, AnswerForm> = new Map([
  ['/v1/chat/completions', chatForm],
  ['/v1/responses', responsesForm],
  ['/v1/messages', messagesForm],
]);

const models = {
  object: 'list',
  data: ['demo-model', 'demo-model-mini'].map((id) => ({
    id,
    object: 'model',
    created: 1_700_000_000,
    owned_by: 'holdpoint-demo',
  })),
};

function sendJson(res: ServerResponse, status: number, value: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function sendError(res: ServerResponse, status: number, message: string): void {
  // Read alike by clients of both families.
  const error = { message, type: 'invalid_request_error', param: null, code: null };
  sendJson(res, status, { type: 'error', error });
}

/** The body's JSON object; null when it is none or exceeds the bound. */
async function bodyOf(req: IncomingMessage): Promise<JsonRecord | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of req) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > bodyBytesMax) return null;
    chunks.push(chunk);
  }
  return parsedRecord(Buffer.concat(chunks).toString('utf8'));
}

async function sendEvents(res: ServerResponse, events: readonly string[]): Promise<void> {
  res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  for (const event of events) {
    if (res.destroyed) return;
    res.write(event);
    // Each event leaves as a chunk of its own, as a model's tokens would.
    await nextTurn();
  }
  res.end();
}

async function listen(server: Server, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the demo provider has no port');
  return address.port;
}

/** Starts the provider on loopback; resolves once it listens. */
export async function startDemoProvider(options: DemoProviderOptions): Promise<DemoProvider> {
  let calls = 0;

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = new URL(req.url ?? '/', 'http://demo.invalid').pathname;
    if (req.method === 'GET' && path === '/v1/models') return sendJson(res, 200, models);
    const form = req.method === 'POST' ? forms.get(path) : undefined;
    if (form === undefined) return sendError(res, 404, `No such route: ${req.method} ${path}`);
    const body = await bodyOf(req);
    if (body === null) return sendError(res, 400, 'The body is not a JSON object of bounded size.');
    calls += 1;
    const serial = calls;
    const question = form.questionOf(body);
    const answer = answerTo(question);
    if (question.stream) return sendEvents(res, form.events(question, answer, serial, body));
    sendJson(res, 200, form.whole(question, answer, serial));
  }

  const server = createServer((req, res) => {
    handle(req, res).catch((error: unknown) => {
      // The client left, or the request broke off: there is nobody to tell.
      res.destroy(error instanceof Error ? error : undefined);
    });
  });
  const port = await listen(server, options.port);
  return {
    url: `http://127.0.0.1:${port}`,
    calls: () => calls,
    async close() {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      server.close((error) => (error === undefined ? resolve() : reject(error)));
      server.closeAllConnections();
      await promise;
    },
  };
}
