/**
 * `holdpoint/client`: the control port for programs. Runs wherever there is `fetch` and needs no other package. Calls
 * and their types are made from the server's OpenAPI description; answers are taken as described and not checked again.
 */
import { createOperations, type HoldEvent, type Input, type Problem } from './operations.ts';

export type * from './operations.ts';

export interface ClientOptions {
  /** Of the control port, such as http://127.0.0.1:8788. */
  readonly url: string;
  /** From `holdpoint token new`. It is sent to `url` alone: redirects are not followed. */
  readonly token: string;
  /** How long a call may take; 30 000 when absent. */
  readonly timeoutMs?: number;
}

/** A refusal of the sidecar, RFC 9457. `code` is of a closed set; `next` says what the caller can do. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly status: number;
  readonly code: Problem['code'] | 'not_holdpoint';
  readonly next: string;

  constructor(status: number, code: RefusedError['code'], detail: string, next: string) {
    super(detail);
    this.status = status;
    this.code = code;
    this.next = next;
  }
}

export type Client = ReturnType<typeof createClient>;

const timeoutMsDefault = 30_000;
/** Longer lines are of no sidecar. */
const eventCharsMax = 64 * 1024;

/** A client of one sidecar; its methods are the operations of the description. They reject with RefusedError, or as `fetch` does. */
export function createClient(options: ClientOptions) {
  const base = new URL(options.url);
  const headers = { authorization: `Bearer ${options.token}` };

  async function answerOf(method: string, path: string, input: Input): Promise<Response> {
    const { url, body } = addressOf(base, path, input);
    return answerTo(method, url, 'application/json', body === undefined ? undefined : JSON.stringify(body));
  }

  async function answerTo(
    method: string,
    url: URL,
    contentType: string,
    body: string | undefined,
  ): Promise<Response> {
    const answer = await fetch(url, {
      method,
      redirect: 'error',
      signal: AbortSignal.timeout(options.timeoutMs ?? timeoutMsDefault),
      headers: body === undefined ? headers : { ...headers, 'content-type': contentType },
      ...(body === undefined ? {} : { body }),
    });
    if (answer.ok) return answer;
    // Whoever answers without JSON is no sidecar, and is named so.
    throw refusalOf(answer.status, await answer.json().catch(() => null));
  }
  const send = async <Answer>(method: string, path: string, input: Input): Promise<Answer> => {
    const answer = await answerOf(method, path, input);
    return readValue(await answer.text(), answer.status);
  };
  const sendForText = async (method: string, path: string, input: Input): Promise<string> =>
    (await answerOf(method, path, input)).text();

  /** A JSON value a line, both ways. */
  const sendLines = async <Line>(method: string, path: string, input: Input): Promise<readonly Line[]> => {
    const { url, body } = addressOf(base, path, input);
    const lines = Array.isArray(body) ? body.map((line) => JSON.stringify(line)).join('\n') : '';
    const answer = await answerTo(method, url, 'application/x-ndjson', lines);
    const text = await answer.text();
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => readValue(line, answer.status));
  };

  return {
    ...createOperations(send, sendForText, sendLines),
    /** What happens to holds, from now on, until `signal` fires or the sidecar stops. Nothing is replayed: read the queue first. */
    events: (signal: AbortSignal): AsyncGenerator<HoldEvent> =>
      readEvents(new URL('/api/v1/events', base), headers, signal),
  };
}

/** Header fields for calls through the sidecar's data plane; they are sealed and never sent to the provider. */
export function callHeaders(about: {
  readonly workload?: string;
  readonly session?: string;
  readonly subject?: string;
  readonly purpose?: string;
}): Record<string, string> {
  const given = Object.entries(about).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [`holdpoint-${name}`, value]));
}

function addressOf(base: URL, path: string, input: Input): { url: URL; body: unknown } {
  const { body, ...rest } = input;
  const left = new Map(Object.entries(rest).filter(([, value]) => value !== undefined));
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(left.get(name) ?? '');
    left.delete(name);
    // A URL resolves such segments away, however they are written.
    if (value === '' || value === '.' || value === '..') throw new TypeError(`${name} must name something.`);
    return encodeURIComponent(value);
  });
  const url = new URL(filled, base);
  for (const [name, value] of left) url.searchParams.set(name, String(value));
  return { url, body };
}

/** The value of a JSON text; a page that something in between put in its place is no sidecar's. */
function readValue<Answer>(text: string, status: number): Answer {
  try {
    return JSON.parse(text);
  } catch {
    throw refusalOf(status, null);
  }
}

function refusalOf(status: number, problem: unknown): RefusedError {
  if (isProblem(problem)) return new RefusedError(status, problem.code, problem.detail, problem.next);
  const detail = `What answers (${status}) is not a Holdpoint control port.`;
  return new RefusedError(status, 'not_holdpoint', detail, 'Name the control port, not the proxy.');
}

function isProblem(value: unknown): value is Problem {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['code', 'detail', 'next'].every((name) => typeof Reflect.get(value, name) === 'string')
  );
}

async function* readEvents(
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): AsyncGenerator<HoldEvent> {
  const answer = await fetch(url, { headers, signal, redirect: 'error' });
  const isStream = answer.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (!answer.ok || !isStream || answer.body === null)
    throw refusalOf(answer.status, await answer.json().catch(() => null));
  let text = '';
  for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
    const events = (text + chunk).split('\n\n');
    text = events.pop() ?? '';
    // Of what has not ended yet: many events may come at once.
    if (text.length > eventCharsMax) throw refusalOf(answer.status, null);
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (data !== undefined) yield JSON.parse(data);
    }
  }
}
