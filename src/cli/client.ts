/** Calls to a running sidecar's control port. */
import { type ErrorCode, HoldpointError, httpStatusByCode, messageOf } from '../core/errors.ts';
import type { Environment } from './command.ts';
import type { Options } from './options.ts';

export interface ControlClient {
  get(path: string): Promise<unknown>;
  post(path: string, body: unknown): Promise<unknown>;
  /** Sends newline-delimited JSON and gives the values of the answer's lines; a last one that was cut is left out. */
  postLines(path: string, body: Uint8Array<ArrayBuffer>): Promise<readonly unknown[]>;
}

export const clientOptions = ['url', 'token'] as const;
const defaultUrl = 'http://127.0.0.1:8788';
const timeoutMs = 30_000;

/** A client from --url and --token, or HOLDPOINT_URL and HOLDPOINT_TOKEN. */
export function controlClient(options: Options, env: Environment): ControlClient {
  const url = options.text('url') ?? env['HOLDPOINT_URL'] ?? defaultUrl;
  const token = options.text('token') ?? env['HOLDPOINT_TOKEN'];
  if (token === undefined) {
    throw new HoldpointError(
      'usage',
      'A control token is needed.',
      'Pass --token or set HOLDPOINT_TOKEN. Make one with: holdpoint token new --name NAME --role reviewer',
    );
  }
  if (!/^[\x21-\x7e]{1,512}$/.test(token))
    throw new HoldpointError('usage', 'This is no control token.', 'Paste it whole, without spaces.');
  const base = baseOf(url);
  const textOf = async (path: string, init: RequestInit): Promise<{ status: number; text: string }> => {
    const { ok, status, text } = await send(new URL(path, base), {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${token}` },
    });
    if (ok) return { status, text };
    const value = parsed(text);
    throw isProblem(value) ? problem(value, status) : notHoldpoint(base, status);
  };
  const call = async (path: string, init: RequestInit): Promise<unknown> => {
    const { status, text } = await textOf(path, init);
    const value = parsed(text);
    if (value === undefined) throw notHoldpoint(base, status);
    return value;
  };
  return {
    get: (path) => call(path, {}),
    post: (path, body) =>
      call(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    postLines: async (path, body) => {
      const headers = { 'content-type': 'application/x-ndjson' };
      const { text } = await textOf(path, { method: 'POST', headers, body });
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
    `It looks like ${defaultUrl}.`,
  );
}

async function send(url: URL, init: RequestInit): Promise<{ ok: boolean; status: number; text: string }> {
  try {
    const response = await fetch(url, {
      ...init,
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error',
    });
    return { ok: response.ok, status: response.status, text: await response.text() };
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new HoldpointError(
      'sidecar_unreachable',
      `The sidecar at ${url.origin} cannot be reached: ${messageOf(cause) || 'no answer'}.`,
      'Is it running? Name its control port with --url or HOLDPOINT_URL.',
      error,
    );
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
    typeof next === 'string' ? next : '',
  );
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(httpStatusByCode, code);
}
