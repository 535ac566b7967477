/** How anchors are spoken to: one request, one answer of bounded length, no redirects, nothing kept between them. */
import { messageOf } from '../core/errors.ts';
import { anchorFailed } from './anchor.ts';

export interface AnchorAnswer {
  readonly status: number;
  /** Media type without parameters, in lower case; '' for none. */
  readonly type: string;
  readonly body: Buffer;
}

export interface AnchorRequest {
  readonly method: 'POST' | 'PUT' | 'HEAD';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
}

export interface AnchorHead extends AnchorAnswer {
  readonly header: (name: string) => string;
}

/** Rejects with `anchor_failed` when there is no answer, or one longer than `bytesMax`. */
export async function ask(
  request: AnchorRequest,
  bytesMax: number,
  signal: AbortSignal,
): Promise<AnchorHead> {
  const { method, url, headers, body } = request;
  try {
    const answer = await fetch(url, {
      method,
      headers,
      signal,
      redirect: 'error',
      ...(body === undefined ? {} : { body }),
    });
    const type = (answer.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
    return {
      status: answer.status,
      type,
      body: await readBody(answer, bytesMax),
      header: (name) => answer.headers.get(name) ?? '',
    };
  } catch (error) {
    throw anchorFailed(`${url.host} gave no answer: ${reasonOf(error)}.`, error);
  }
}

async function readBody(answer: Response, bytesMax: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer.body ?? []) {
    length += chunk.length;
    if (length > bytesMax) throw new Error(`its answer is longer than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What went wrong below `fetch`, which says only that it failed. */
function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
}
