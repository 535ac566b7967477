/** What the house of these histories holds, until when and for whom. A call's model says how many must release what of it. */
import { loadPolicy } from '../../../src/policy/compile.ts';
import { chatDelta, chatRole, chatStop, chatText, done } from '../../proxy/answers.ts';

/** Who may come to rule; the last one asked for the call. */
export const people = ['ada', 'bob', 'cyd', 'agent'] as const;
export const requester = 'agent';
export const expiresInMs = 60_000;
/** From then on a hold may be ruled on in the role of `chief`, too. */
export const escalatesInMs = 30_000;
export const roles = ['reviewer', 'chief'] as const;

/** How many people must release the question, and how many the answer; nobody for 0: that phase is not held. */
export interface Kind {
  readonly question: number;
  readonly answer: number;
  /** The answer comes as events. */
  readonly streams: boolean;
}

const approvalsMax = 3;

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
  const messages = [{ role: 'user', content: `Transfer ${amount}.` }];
  return JSON.stringify({ model: modelOf(call, kind), messages, stream: kind.streams });
}

export const amendedAmount = 20;

/** An answer that says `text`, as it comes to a call of that kind. */
export function answerOf({ streams }: Pick<Kind, 'streams'>, text: string): string {
  return streams ? [chatRole, chatDelta(text), chatStop, done].join('') : chatText(text);
}

export function answerType({ streams }: Pick<Kind, 'streams'>): string {
  return streams ? 'text/event-stream' : 'application/json';
}

function rule(phase: 'request' | 'response', mark: string, approvals: number): string {
  return `
  - id: ${mark}-${approvals}
    title: Held for ${approvals}
    phase: ${phase}
    when: request.model.contains("-${mark}-${approvals}${phase === 'request' ? '-' : '.'}")
    action: hold
    hold:
      expiresIn: ${expiresInMs / 1_000}s
      approvals: ${approvals}
      roles: [reviewer]
      escalate: [{ after: ${escalatesInMs / 1_000}s, roles: [chief] }]
      breakGlass: { roles: [admin], collectIn: 5m }
    tests:
      - { name: yes, expect: match, request: { model: call-0-question-${approvals}-answer-${approvals}. } }
      - { name: no, expect: no-match, request: { model: other } }`;
}

const counts = Array.from({ length: approvalsMax }, (_, place) => place + 1);
const rules = counts.map((count) => rule('request', 'question', count) + rule('response', 'answer', count));

export const policy = loadPolicy('policy.yaml', `version: '1'\nrules:${rules.join('')}\n`, [
  ...roles,
  'admin',
]);
