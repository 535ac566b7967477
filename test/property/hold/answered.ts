/** Nobody waits for ever: whoever asked hears something in the end, be it no. */
import type { Caller } from './caller.ts';
import type { Reviewers } from './reviewers.ts';

/** Who still waits for the sidecar to say something; '' for nobody. */
export function whoHangs(callers: readonly Caller[], { waiting }: Pick<Reviewers, 'waiting'>): string {
  const hanging = callers
    .filter((caller) => !isAnswered(caller))
    .map(({ call }) => `a caller of call ${call} waits`);
  const people = waiting() === 0 ? [] : [`${waiting()} reviewers wait`];
  return [...hanging, ...people].join(', ');
}

/** It has all of an answer, or saw the connection break in the middle of one; whoever left or takes nothing hears nothing. */
function isAnswered({ left, manner, heard, isCut }: Caller): boolean {
  if (left || manner === 'stalls') return true;
  const answer = heard();
  return answer !== null && (answer.whole || isCut());
}
