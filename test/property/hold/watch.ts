/**
 * What must be true in the moment in which something goes out, by what is on the disk then: nothing of a held question
 * reaches the provider before that was released, nothing of a held answer the workload, and each release is used once.
 */
import type { Entry } from '../../../src/ledger/entry.ts';
import type { LedgerUnderTest } from '../../fault/ledger-under-test.ts';
import type { Caller, Heard } from './caller.ts';
import { type Phase, type PolicyName, saidOf } from './policies.ts';
import { policyOf } from './policy-text.ts';
import type { Asked } from './provider.ts';
import { amendedAmount, type Kind, questionOf } from './rules.ts';
import { type DecisionStory, type HoldStory, isUsed, storiesIn } from './story.ts';

export interface Watch {
  /** What was seen and must never be. */
  readonly violations: readonly string[];
  /** Decisions of which the provider was asked, and the policy in force at that moment. */
  readonly sent: ReadonlyMap<number, PolicyName>;
  /** Decisions of which a caller got something before the answer was sealed. */
  readonly early: ReadonlySet<number>;
  onAsked(asked: Asked): void;
  onBytes(caller: Caller): void;
}

export interface Watched {
  readonly house: LedgerUnderTest;
  readonly kinds: readonly Kind[];
  readonly callers: readonly Caller[];
  /** The policy in force. */
  inForce(): PolicyName;
}

export function createWatch({ house, kinds, callers, inForce }: Watched): Watch {
  const violations: string[] = [];
  const sent = new Map<number, PolicyName>();
  const early = new Set<number>();

  function onAsked({ call, question }: Asked): void {
    const kind = kinds[call];
    if (kind === undefined) throw new Error(`nobody made the call ${call}`);
    const [due] = storiesIn(house.entries())
      .filter(
        ({ call: own, request, questions: [hold] }) =>
          own === call &&
          !sent.has(request.seq) &&
          mayGoOn(request, 'request', kind, hold) &&
          question === questionOf(call, kind, hold?.isAmended === true ? amendedAmount : undefined),
      )
      .sort((one, other) => sentAfter(other) - sentAfter(one));
    if (due === undefined) violations.push(`no release was due of what the provider was asked: ${question}`);
    else sent.set(due.request.seq, inForce());
  }

  function onBytes(caller: Caller): void {
    const heard = caller.heard();
    if (heard === null || answerIn(heard, caller.kind) === null) return;
    const { kind, call } = caller;
    const entries = house.entries();
    const story = storiesIn(entries).find(({ request }) => request.seq === heard.decision);
    const asWhole = (what: string): string => `${what} of call ${call} went to its caller: ${heard.body}`;
    if (story === undefined || story.call !== call) violations.push(asWhole('what no decision let out'));
    else if (!mayGoOn(story.request, 'request', kind, story.questions[0]))
      violations.push(asWhole('the answer to a question that nobody released'));
    else if (story.responses.some((answer) => !mayGoOn(answer, 'response', kind, story.answers[0])))
      violations.push(asWhole('an answer that nobody released'));
    else if ((!kind.streams || heard.whole) && story.responses.length === 0)
      violations.push(asWhole('an answer that was not sealed'));
    if (story !== undefined && story.responses.length === 0) early.add(story.request.seq);
    const others = callers.filter((other) => other !== caller && !other.left);
    if (others.some((other) => isWithin(other, heard.decision)))
      violations.push(asWhole('what another caller is being given,'));
  }

  return { violations, sent, early, onAsked, onBytes };
}

/** No rule of the policy that it was judged by stops it, or one holds it and it was released and that is used. */
function mayGoOn(judged: Entry, phase: Phase, kind: Kind, hold: HoldStory | undefined): boolean {
  const said = saidOf(policyOf(judged), phase, kind)?.action;
  return said === 'hold' ? isUsed(hold) : said !== 'deny';
}

/**
 * What a question goes out right after. An earlier one of the same call may be on the disk and never have gone out: the
 * disk had it, and said that it failed.
 */
function sentAfter({ request, questions: [hold] }: DecisionStory): number {
  return hold?.uses.at(-1)?.seq ?? request.seq;
}

function isWithin(caller: Caller, decision: number): boolean {
  const heard = caller.heard();
  if (heard === null || heard.whole || heard.decision !== decision) return false;
  return answerIn(heard, caller.kind) !== null;
}

/** What keeps a connection alive while its answer is held: a comment, or an event that says nothing. */
const filler = /^(?:: held for a reviewer\n|data: \{"id":""[^\n]*\n\n)+/;

/** What somebody has of the provider's answer, be it its head alone; null for nothing. */
export function answerIn({ status, body }: Heard, { streams }: Kind): string | null {
  if (status !== 200) return null;
  if (!streams) return body;
  const said = body.replace(filler, '');
  return said === '' || said.startsWith('data: {"error"') ? null : said;
}
