/**
 * What must be true in the moment in which something goes out, by what is on the disk then: nothing of a held question
 * reaches the provider before that was released, nothing of a held answer the workload, and each release is used once.
 */
import type { LedgerUnderTest } from '../../fault/ledger-under-test.ts';
import type { Caller, Heard } from './caller.ts';
import type { Asked } from './provider.ts';
import { amendedAmount, type Kind, questionOf } from './rules.ts';
import { type DecisionStory, isUsed, storiesIn } from './story.ts';

export interface Watch {
  /** What was seen and must never be. */
  readonly violations: readonly string[];
  /** Decisions of which the provider was asked. */
  readonly sent: ReadonlySet<number>;
  onAsked(asked: Asked): void;
  onBytes(caller: Caller): void;
}

export function createWatch(
  house: LedgerUnderTest,
  kinds: readonly Kind[],
  callers: readonly Caller[],
): Watch {
  const violations: string[] = [];
  const sent = new Set<number>();

  function onAsked({ call, question }: Asked): void {
    const kind = kinds[call];
    if (kind === undefined) throw new Error(`nobody made the call ${call}`);
    const [due] = storiesIn(house.entries())
      .filter(
        ({ call: own, request, questions: [hold] }) =>
          own === call &&
          !sent.has(request.seq) &&
          (kind.question === 0 || isUsed(hold)) &&
          question === questionOf(call, kind, hold?.isAmended === true ? amendedAmount : undefined),
      )
      .sort((one, other) => sentAfter(other) - sentAfter(one));
    if (due === undefined) violations.push(`no release was due of what the provider was asked: ${question}`);
    else sent.add(due.request.seq);
  }

  function onBytes(caller: Caller): void {
    const heard = caller.heard();
    if (heard === null || answerIn(heard, caller.kind) === null) return;
    const { kind, call } = caller;
    const entries = house.entries();
    const story = storiesIn(entries).find(({ request }) => request.seq === heard.decision);
    const asWhole = (what: string): string => `${what} of call ${call} went to its caller: ${heard.body}`;
    if (story === undefined || story.call !== call) violations.push(asWhole('what no decision let out'));
    else if (kind.question > 0 && !isUsed(story.questions[0]))
      violations.push(asWhole('the answer to a question that nobody released'));
    else if (kind.answer > 0 && !isUsed(story.answers[0]))
      violations.push(asWhole('an answer that nobody released'));
    else if ((!kind.streams || heard.whole) && story.responses.length === 0)
      violations.push(asWhole('an answer that was not sealed'));
    const others = callers.filter((other) => other !== caller && !other.left);
    if (others.some((other) => isWithin(other, heard.decision)))
      violations.push(asWhole('what another caller is being given,'));
  }

  return { violations, sent, onAsked, onBytes };
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
