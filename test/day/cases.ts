/** The cases that a day is made of: what a workload asks, what the provider answers, and how that may end. */
import {
  chatDelta,
  chatRole,
  chatStop,
  chatText,
  chatToolsEnd,
  chatTransfer,
  chatTransferEvents,
  done,
} from '../proxy/answers.ts';
import { chunk, startRawUpstream, streamHead, wholeAnswer } from '../support/raw-upstream.ts';

export const kinds = [
  'plain',
  'stream',
  'transfer',
  'streamed transfer',
  'question of consent',
  'transfer by consent',
  'forbidden',
  'failing',
  'broken',
] as const;
export type Kind = (typeof kinds)[number];

export interface Case {
  readonly number: number;
  readonly kind: Kind;
  readonly subject: string;
  /** Sent each time the workload asks again: the same bytes are the same call to the retry of a held one. */
  readonly body: string;
}

/** Nobody writes this in a case; it is what a reviewer makes of a transfer. */
export const amendedAmount = 7;

export function caseOf(number: number, kind: Kind, subject: string): Case {
  const messages = [{ role: 'user', content: `${kind}, case ${number}.` }];
  const streams = kind === 'stream' || kind === 'streamed transfer';
  return { number, kind, subject, body: JSON.stringify({ model: 'gpt-4.1', messages, stream: streams }) };
}

/** How many rulings there are on a decision that lets something through. */
export function rulingsDue({ kind }: Pick<Case, 'kind'>): number {
  if (kind === 'transfer by consent') return 2;
  return kind === 'transfer' || kind === 'streamed transfer' || kind === 'question of consent' ? 1 : 0;
}

export function needsConsent({ kind }: Pick<Case, 'kind'>): boolean {
  return kind === 'question of consent' || kind === 'transfer by consent';
}

/** A case by its request's body; null for what was never asked here. */
export function readCase(body: string): Pick<Case, 'number' | 'kind'> | null {
  const found = /"content":"([a-z ]+), case (\d+)\."/.exec(body);
  const kind = kinds.find((known) => known === found?.[1]);
  return kind === undefined ? null : { kind, number: Number(found?.[2]) };
}

const json = ['content-type: application/json'];

/** The body that the provider answers a case with. */
export function answerTo({ kind, number }: Pick<Case, 'number' | 'kind'>): string {
  if (kind === 'failing') return JSON.stringify({ error: { message: `No capacity, case ${number}.` } });
  if (kind === 'transfer' || kind === 'transfer by consent') return chatTransfer(number);
  if (kind === 'streamed transfer') return [chatRole, ...chatTransferEvents(number), chatToolsEnd].join('');
  const text = `What case ${number} is about.`;
  return kind === 'stream' ? [chatRole, chatDelta(text), chatStop, done].join('') : chatText(text);
}

export interface Provider {
  readonly url: string;
  /** How often each case reached it. */
  readonly reached: ReadonlyMap<number, number>;
  /** What came in and is no case. */
  readonly strange: readonly string[];
}

/** A provider that counts; ended by `endAll`. */
export async function startProvider(): Promise<Provider> {
  const reached = new Map<number, number>();
  const strange: string[] = [];
  const upstream = await startRawUpstream(({ body }, answer) => {
    const asked = readCase(body.toString());
    if (asked === null) {
      strange.push(body.toString());
      return answer.send(wholeAnswer('400 Bad Request', json, '{}'));
    }
    reached.set(asked.number, (reached.get(asked.number) ?? 0) + 1);
    const text = answerTo(asked);
    if (asked.kind === 'broken') {
      // The head promises all of it, half of it comes.
      answer.send(wholeAnswer('200 OK', json, text).subarray(0, -text.length / 2));
      return answer.reset();
    }
    if (asked.kind === 'failing') return answer.send(wholeAnswer('500 Internal Server Error', json, text));
    if (!asked.kind.startsWith('stream')) return answer.send(wholeAnswer('200 OK', json, text));
    answer.send(streamHead);
    for (const event of text.split(/(?<=\n\n)/)) answer.send(chunk(event));
    return answer.send(chunk(''));
  });
  return { url: upstream.url, reached, strange };
}
