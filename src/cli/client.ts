/** Calls to a running sidecar's control port. */
import { type ErrorCode, HoldpointError, httpStatusByCode, messageOf } from '../core/errors.ts';
import type { Environment } from './command.ts';
import type { Options } from './options.ts';

export interface ControlClient {
  get(path: string): Promise<unknown>;
  post(path: string, body: unknown): Promise<unknown>;
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
  const call = async (path: string, init: RequestInit): Promise<unknown> => {
    const response = await send(new URL(path, url), {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${token}` },
    });
    const value: unknown = await response.json();
    if (!response.ok) throw problem(value, response.status);
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
  };
}

async function send(url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs), redirect: 'error' });
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new HoldpointError(
      'sidecar_unreachable',
      `The sidecar at ${url.origin} cannot be reached: ${messageOf(cause)}.`,
      'Is it running? Name its control port with --url or HOLDPOINT_URL.',
      error,
    );
  }
}

function problem(value: unknown, status: number): HoldpointError {
  const fields: Readonly<Record<string, unknown>> =
    typeof value === 'object' && value !== null ? { ...value } : {};
  const code = fields['code'];
  const detail = typeof fields['detail'] === 'string' ? fields['detail'] : `The sidecar answered ${status}.`;
  const next = typeof fields['next'] === 'string' ? fields['next'] : '';
  return new HoldpointError(isErrorCode(code) ? code : 'internal', detail, next);
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(httpStatusByCode, code);
}
