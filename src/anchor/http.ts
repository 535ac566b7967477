/** How anchors are spoken to: one request, one answer of bounded length. */
import { ask as askServer, type Question } from '../core/ask.ts';
import type { Egress } from '../core/egress.ts';
import { messageOf } from '../core/errors.ts';
import { anchorFailed } from './anchor.ts';

export interface AnchorAnswer {
  readonly status: number;
  /** Media type without parameters, in lower case; '' for none. */
  readonly type: string;
  readonly body: Buffer;
}

export type AnchorRequest = Pick<Question, 'url' | 'headers' | 'body'> & {
  readonly method: 'POST' | 'PUT' | 'HEAD';
};

export interface AnchorHead extends AnchorAnswer {
  readonly header: (name: string) => string;
}

/** Rejects with `anchor_failed` when there is no answer, one longer than `bytesMax`, or one that leads elsewhere. */
export async function ask(
  request: AnchorRequest,
  bytesMax: number,
  signal: AbortSignal,
  egress: Egress,
): Promise<AnchorHead> {
  const { host } = request.url;
  try {
    const { status, header, read } = await askServer({ ...request, signal }, egress);
    if (status >= 300 && status < 400) throw new Error('it leads elsewhere, and redirects are not followed');
    const type = header('content-type').split(';', 1)[0]?.trim().toLowerCase() ?? '';
    return { status, type, body: await read(bytesMax), header };
  } catch (error) {
    throw anchorFailed(`${host} gave no answer: ${messageOf(error)}.`, error);
  }
}
