/** Calls to a running sidecar's control port. */
import { setTimeout as sleep } from 'node:timers/promises';
import { clockSkewMs } from '../console/words/time.ts';
import { type ErrorCode, HoldpointError, httpStatusByCode } from '../core/errors.ts';
import type { Environment } from './command.ts';
import { type Asked, noAnswer } from './no-answer.ts';
import type { Options } from './options.ts';

export interface ControlClient {
  get(path: string): Promise<unknown>;
  /** By the sidecar's clock, as far as its last answer told: what is left of a hold is left by that one. */
  nowMs(): number;
  /** @param findOut how to find out whether it was done, where no answer comes; a sentence */
  post(path: string, body: unknown, findOut?: string): Promise<unknown>;
  /**
   * For what takes its turn with others and changes nothing: while the sidecar has no room for it, waits as it says and asks
   * again, for ten minutes at most.
   * @param onWait told why, each time
   */
  postInTurn(path: string, body: unknown, onWait: (why: HoldpointError) => void): Promise<unknown>;
  /** Sends newline-delimited JSON and gives the values of the answer's lines; a last one that was cut is left out. */
  postLines(path: string, body: Uint8Array<ArrayBuffer>): Promise<readonly unknown[]>;
}

export const clientOptions = ['url', 'token'] as const;
const defaultUrl = 'http://127.0.0.1:8788';
const answerMsMax = 30_000;
const turnMsMax = 600_000;
const noTurn = { turnMs: 0, onWait: (): void => undefined };

/** A client from --url and --token, or HOLDPOINT_URL and HOLDPOINT_TOKEN. */
export function controlClient(
  options: Options,
  env: Environment,
  {
    timeoutMs = answerMsMax,
    wait = (ms: number): Promise<unknown> => sleep(ms),
    localMs = (): number => Date.now(),
  } = {},
): ControlClient {
  const url = options.text('url') ?? env['HOLDPOINT_URL'] ?? defaultUrl;
  const token = options.text('token') ?? env['HOLDPOINT_TOKEN'];
  // An empty variable is what a command that made no token leaves.
  if (token === undefined || token === '') {
    throw new HoldpointError(
      'usage',
      'A control token is needed.',
      'Pass --token or set HOLDPOINT_TOKEN. Make one with: holdpoint token new --name NAME --role ROLE',
    );
  }
  if (!/^[\x21-\x7e]{1,512}$/.test(token))
    throw new HoldpointError('usage', 'This is no control token.', 'Paste it whole, without spaces.');
  const base = baseOf(url);
  let skewMs = 0;
  const textOf = async (
    path: string,
    init: RequestInit,
    findOut: string | null,
    { turnMs, onWait }: Turn = noTurn,
  ): Promise<{ status: number; text: string }> => {
    const headers = { ...init.headers, authorization: `Bearer ${token}` };
    const asked = { url: new URL(path, base), findOut, timeoutMs };
    for (let waitedMs = 0; ; ) {
      const sentMs = localMs();
      const { ok, status, text, againMs, date } = await send(asked, { ...init, headers });
      skewMs = clockSkewMs(date, sentMs, localMs());
      if (ok) return { status, text };
      const value = parsed(text);
      const refused = isProblem(value) ? problem(value, status) : notHoldpoint(base, status);
      waitedMs += againMs;
      if (refused.code !== 'overloaded' || waitedMs > turnMs) throw refused;
      onWait(refused);
      await wait(againMs);
    }
  };
  const call = async (...asked: Parameters<typeof textOf>): Promise<unknown> => {
    const { status, text } = await textOf(...asked);
    const value = parsed(text);
    if (value === undefined) throw notHoldpoint(base, status);
    return value;
  };
  return {
    get: (path) => call(path, {}, null),
    nowMs: () => localMs() + skewMs,
    post: (path, body, findOut = '') => call(path, jsonOrder(body), findOut),
    postInTurn: (path, body, onWait) => call(path, jsonOrder(body), null, { turnMs: turnMsMax, onWait }),
    postLines: async (path, body) => {
      const headers = { 'content-type': 'application/x-ndjson' };
      const again = 'Run the same command again: what was sealed is known by its id.';
      const { text } = await textOf(path, { method: 'POST', headers, body }, again);
      const values = text.split('\n').map(parsed);
      return values.filter((value) => value !== undefined);
    },
  };
}

interface Turn {
  readonly turnMs: number;
  readonly onWait: (why: HoldpointError) => void;
}

function jsonOrder(body: unknown): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

function baseOf(url: string): URL {
  const base = URL.canParse(url) ? new URL(url) : null;
  if (base !== null && /^https?:$/.test(base.protocol)) return base;
  throw new HoldpointError(
    'usage',
    `${JSON.stringify(url)} is not the URL of a control port.`,
    /^[\w.-]+:\d+$/.test(url) ? `Did you mean http://${url}?` : `It looks like ${defaultUrl}.`,
  );
}

interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly text: string;
  /** After how long it says to ask again, a second at least; infinite where it says nothing of it. */
  readonly againMs: number;
  readonly date: string | null;
}

async function send(asked: Asked, init: RequestInit): Promise<Answer> {
  try {
    const response = await fetch(asked.url, {
      ...init,
      signal: AbortSignal.timeout(asked.timeoutMs),
      redirect: 'error',
    });
    const { ok, status, headers } = response;
    const text = await response.text();
    return { ok, status, text, againMs: againMsOf(headers), date: headers.get('date') };
  } catch (error) {
    throw await noAnswer(asked, error);
  }
}

function againMsOf(headers: Headers): number {
  const seconds = headers.get('retry-after') ?? '';
  return /^\d{1,9}$/.test(seconds) ? Math.max(1, Number(seconds)) * 1_000 : Number.POSITIVE_INFINITY;
}

/** Undefined where it is not JSON: whoever answered is not a sidecar. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The caller says who answered; the text itself helps nobody and is not ours to show.
    return undefined;
  }
}

function notHoldpoint(base: URL, status: number): HoldpointError {
  return new HoldpointError(
    'sidecar_unreachable',
    `What answers at ${base.origin} (${status}) is not a Holdpoint control port.`,
    'Name the control port, not the proxy, with --url or HOLDPOINT_URL.',
  );
}

interface Problem {
  readonly code: string;
  readonly detail?: unknown;
  readonly next?: unknown;
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'code' in value && typeof value.code === 'string';
}

function problem({ code, detail, next }: Problem, status: number): HoldpointError {
  return new HoldpointError(
    isErrorCode(code) ? code : 'internal',
    typeof detail === 'string' ? detail : `The sidecar answered ${status}.`,
    nextStep(code, typeof next === 'string' ? next : ''),
  );
}

/** The sidecar speaks of the header and the parameters that this command sends, and whoever typed it sees neither. */
function nextStep(code: string, next: string): string {
  if (code === 'unauthenticated') return anotherToken;
  return code === 'invalid_argument' && /\/openapi\.json|^The parameters are: /.test(next)
    ? 'See holdpoint --help.'
    : next;
}

const anotherToken =
  'Take the one that HOLDPOINT_TOKEN or --token should hold, or make one with: holdpoint token new --name NAME --role ROLE';

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(httpStatusByCode, code);
}
