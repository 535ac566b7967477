/** What a reviewer changed, seen afterwards: from what was held to what was put in its place. */
import { type ComponentChild, h } from 'preact';
import type { RequestContent, ResponseContent } from '../answers/exchange-data.ts';
import { answerText } from '../words/answer-text.ts';
import { changedLines } from '../words/difference.ts';
import { laidOut } from '../words/json-tree.ts';
import { DifferenceView } from './difference-view.ts';

export function AnswerDifference(props: {
  readonly held: ResponseContent;
  readonly instead: ResponseContent;
}): ComponentChild {
  return h(TextDifference, { held: answerText(props.held), instead: answerText(props.instead) });
}

export function RequestDifference(props: {
  readonly held: RequestContent;
  readonly instead: RequestContent;
}): ComponentChild {
  return h(TextDifference, {
    held: laidOut(props.held.raw.body),
    instead: laidOut(props.instead.raw.body),
  });
}

function TextDifference({
  held,
  instead,
}: {
  readonly held: string;
  readonly instead: string;
}): ComponentChild {
  const lines = changedLines(held, instead);
  if (lines === null) return h('p', { class: 'quiet' }, 'Too long to be compared here.');
  if (lines.length === 0) return null;
  return h('div', { class: 'changed' }, [
    h('p', { class: 'label' }, 'What that changes'),
    h(DifferenceView, { lines, short: true }),
  ]);
}
