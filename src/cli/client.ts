/** Calls to a running sidecar's control port. */
import { type ErrorCode, HoldpointError, httpStatusByCode } from '../core/errors.ts';
import type { Environment } from './command.ts';
import { type Asked, noAnswer } from './no-answer.ts';
import type { Options } from './options.ts';

export interface ControlClient {
  get(path: string): Promise<unknown>;
  /** @param findOut how to find out whether it was done, where no answer comes; a sentence */
  post(path: string, body: unknown, findOut?: string): Promise<unknown>;
  /** Sends newline-delimited JSON and gives the values of the answer's lines; a last one that was cut is left out. */
  postLines(path: string, body: Uint8Array<ArrayBuffer>): Promise<readonly unknown[]>;
}

export const clientOptions = ['url', 'token'] as const;
const defaultUrl = 'http://127.0.0.1:8788';
const answerMsMax = 30_000;

/** A client from --url and --token, or HOLDPOINT_URL and HOLDPOINT_TOKEN. */
export function controlClient(
  options: Options,
  env: Environment,
  { timeoutMs = answerMsMax } = {},
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
  const textOf = async (
    path: string,
    init: RequestInit,
    findOut: string | null,
  ): Promise<{ status: number; text: string }> => {
    const headers = { ...init.headers, authorization: `Bearer ${token}` };
    const asked = { url: new URL(path, base), findOut, timeoutMs };
    const { ok, status, text } = await send(asked, { ...init, headers });
    if (ok) return { status, text };
    const value = parsed(text);
    throw isProblem(value) ? problem(value, status) : notHoldpoint(base, status);
  };
  const call = async (path: string, init: RequestInit, findOut: string | null): Promise<unknown> => {
    const { status, text } = await textOf(path, init, findOut);
    const value = parsed(text);
    if (value === undefined) throw notHoldpoint(base, status);
    return value;
  };
  return {
    get: (path) => call(path, {}, null),
    post: (path, body, findOut = '') => {
      const headers = { 'content-type': 'application/json' };
      return call(path, { method: 'POST', headers, body: JSON.stringify(body) }, findOut);
    },
    postLines: async (path, body) => {
      const headers = { 'content-type': 'application/x-ndjson' };
      const again = 'Run the same command again: what was sealed is known by its id.';
      const { text } = await textOf(path, { method: 'POST', headers, body }, again);
      const values = text.split('\n').map(parsed);
      return values.filter((value) => value !== undefined);
    },
  };
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

async function send(asked: Asked, init: RequestInit): Promise<{ ok: boolean; status: number; text: string }> {
  try {
    const response = await fetch(asked.url, {
      ...init,
      signal: AbortSignal.timeout(asked.timeoutMs),
      redirect: 'error',
    });
    return { ok: response.ok, status: response.status, text: await response.text() };
  } catch (error) {
    throw await noAnswer(asked, error);
  }
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
