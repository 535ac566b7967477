/** What a user of an SDK catches: the error's class, its status and its words. */

export interface Failure {
  readonly class: string;
  /** HTTP status as the SDK shows it; null where it shows none. */
  readonly status: number | null;
  /** Without the address that was asked, which differs on purpose. */
  readonly message: string;
}

const statusNames = ['status', 'statusCode', 'status_code', 'httpStatusCode'];
/** Where SDKs keep the error that they wrapped, or what they know of the answer. */
const insideNames = ['$metadata', 'response', 'rawResponse', 'cause'];
const depthMax = 3;

/** Reads whatever was thrown. */
export function failureOf(thrown: unknown): Failure {
  return { class: classOf(thrown), status: statusOf(thrown), message: messageOf(thrown) };
}

function classOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return typeof thrown;
  return thrown.name === 'Error' ? thrown.constructor.name : thrown.name;
}

function statusOf(value: unknown, depth = 0): number | null {
  if (typeof value !== 'object' || value === null || depth > depthMax) return null;
  for (const name of statusNames) {
    const found: unknown = Reflect.get(value, name);
    if (typeof found === 'number') return found;
  }
  for (const name of insideNames) {
    const found = statusOf(Reflect.get(value, name), depth + 1);
    if (found !== null) return found;
  }
  return null;
}

function messageOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : (JSON.stringify(thrown) ?? String(thrown));
  return text.replace(/https?:\/\/127\.0\.0\.1:\d+[^\s"',)]*/g, '(address)');
}

/** Resolves with what was raised; rejects when nothing was. */
export async function raisedBy(answer: Promise<unknown>): Promise<Failure> {
  return answer.then(
    (value) => {
      throw new Error(`An error was due, and this came: ${JSON.stringify(value)}`);
    },
    (error: unknown) => failureOf(error),
  );
}
