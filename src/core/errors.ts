/**
 * Every way Holdpoint says no: one closed set of codes and the HTTP status each one has.
 * A message names what happened and where; `next` names what the reader can do about it.
 */

export const httpStatusByCode = {
  // Data plane
  bad_request: 400,
  denied_by_policy: 403,
  denied_by_reviewer: 403,
  hold_expired: 403,
  host_not_allowed: 403,
  no_upstream: 404,
  body_too_large: 413,
  upstream_unreachable: 502,
  upstream_truncated: 502,
  response_too_large: 502,
  upstream_timeout: 504,
  held: 503,
  ledger_unavailable: 503,
  overloaded: 503,
  shutting_down: 503,
  // Control plane
  invalid_argument: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  already_ruled: 409,
  digest_mismatch: 409,
  ruling_expired: 409,
  policy_changed: 409,
  report_differs: 409,
  not_divisible: 422,
  not_amendable: 409,
  signature_required: 403,
  signature_invalid: 403,
  erased: 410,
  erasure_under_way: 409,
  erasure_ended: 409,
  too_many_attempts: 429,
  sign_in_unavailable: 503,
  internal: 500,
  // Outside memory: never an answer to a call
  anchor_failed: 502,
  anchor_contradicts: 409,
  // Start-up and command line
  usage: 400,
  config_invalid: 400,
  policy_invalid: 400,
  data_dir_locked: 409,
  ledger_rolled_back: 409,
  ledger_damaged: 500,
  sidecar_unreachable: 503,
} as const satisfies Record<string, number>;

export type ErrorCode = keyof typeof httpStatusByCode;

/** The only error Holdpoint raises on purpose. Anything else that is thrown is a defect of ours. */
export class HoldpointError extends Error {
  override readonly name = 'HoldpointError';
  readonly code: ErrorCode;
  /** What the reader can do about it; one sentence, may be ''. */
  readonly next: string;

  constructor(code: ErrorCode, message: string, next = '', cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.next = next;
  }
}

/**
 * Why the system refused a file, in words: `no such file or directory (ENOENT)`. For messages that name the file already;
 * what is no refusal of the system is told as `messageOf` does.
 */
export function refusalOf(error: unknown): string {
  const message = messageOf(error);
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return message;
  const { code, syscall } = error;
  const words = message.startsWith(`${code}: `) ? message.slice(`${code}: `.length) : message;
  const end = words.indexOf(`, ${syscall}`);
  return `${end === -1 ? words : words.slice(0, end)} (${code})`;
}

/** The message of anything that can be thrown. */
export function messageOf(error: unknown): string {
  // Node tries every address of a host, and says nothing of its own where each of them fails.
  if (error instanceof AggregateError && error.message === '')
    return [...new Set(error.errors.map(messageOf))].join(', ');
  return error instanceof Error ? error.message : String(error);
}
