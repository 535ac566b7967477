/** The people of these histories and their calls. A call's model says which rules of the policies it is for. */
import { chatDelta, chatRole, chatStop, chatText, done } from '../../proxy/answers.ts';

/** Who may come to rule; the last one asked for the call. */
export const people = ['ada', 'bob', 'cyd', 'agent'] as const;
export const requester = 'agent';
export const roles = ['reviewer', 'chief'] as const;

/**
 * How many people must release the question, and how many the answer, by the first policy; nobody for 0: it does not hold
 * that. Others say something else of the same number.
 */
export interface Kind {
  readonly question: number;
  readonly answer: number;
  /** The answer comes as events. */
  readonly streams: boolean;
}

/** Another one for each call, so that leaves say which call they are of. */
export function modelOf(call: number, { question, answer }: Kind): string {
  return `call-${call}-question-${question}-answer-${answer}.`;
}

/** The call that a leaf with this model is of. */
export function callOf(model: unknown): number {
  return Number(/^call-(\d+)-/.exec(String(model))?.[1] ?? Number.NaN);
}

/** What is asked: the same bytes each time that the same call comes. `amount` is what an amendment changes. */
export function questionOf(call: number, kind: Kind, amount = 25_000): string {
  return JSON.stringify(questionBody(call, kind, amount));
}

export function questionBody(call: number, kind: Kind, amount: number) {
  const messages = [{ role: 'user', content: `Transfer ${amount}.` }];
  return { model: modelOf(call, kind), messages, stream: kind.streams };
}

export const amendedAmount = 20;

/** An answer that says `text`, as it comes to a call of that kind. */
export function answerOf({ streams }: Pick<Kind, 'streams'>, text: string): string {
  return streams ? [chatRole, chatDelta(text), chatStop, done].join('') : chatText(text);
}

export function answerType({ streams }: Pick<Kind, 'streams'>): string {
  return streams ? 'text/event-stream' : 'application/json';
}
