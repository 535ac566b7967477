/** How the control port asks others: an OpenID provider, the cluster's API. One JSON answer, bounded in time and bytes. */
import { ask as askServer } from '../../core/ask.ts';
import type { Egress } from '../../core/egress.ts';
import { HoldpointError, messageOf } from '../../core/errors.ts';

const answerMsMax = 10_000;
const answerBytesMax = 512 * 1024;

export interface Outgoing {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The authorities of the other end in PEM, where they are others than Node's. */
  readonly ca?: string | undefined;
  readonly egress: Egress;
}

export interface OutgoingAnswer {
  readonly status: number;
  /** Not looked at yet; null where it is no JSON. */
  readonly json: unknown;
}

/** Rejects with `sign_in_unavailable` when there is no answer within the bounds. */
export async function ask({ headers, egress, ...question }: Outgoing): Promise<OutgoingAnswer> {
  try {
    const signal = AbortSignal.timeout(answerMsMax);
    const asked = { ...question, headers: { accept: 'application/json', ...headers }, signal };
    const { status, read } = await askServer(asked, egress);
    return { status, json: jsonIn((await read(answerBytesMax)).toString('utf8')) };
  } catch (error) {
    throw unavailable(`${question.url.host} gave no answer: ${messageOf(error)}.`, error);
  }
}

/** Nobody is let in on what could not be asked. */
export function unavailable(message: string, cause?: unknown): HoldpointError {
  return new HoldpointError('sign_in_unavailable', message, 'Try again later, or use a token.', cause);
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
