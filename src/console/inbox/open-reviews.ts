/** That releases by one person alone wait for a review, above the queue. */
import { type ComponentChild, h } from 'preact';
import { readReviews } from '../answers/oversight-data.ts';
import type { Desk, DeskState } from '../desk/desk.ts';
import { useFetched } from '../desk/fetched.ts';
import { reviewsAddress } from '../desk/place.ts';
import { countText } from '../words/counts.ts';

export function OpenReviews(props: { readonly desk: Desk; readonly state: DeskState }): ComponentChild {
  const { desk, state } = props;
  // Before the first connection nothing is heard of what is broken or reviewed: it would have to be asked for again.
  const path = state.connections === 0 ? null : '/api/v1/reviews?state=open';
  const fetched = useFetched(desk, path, readReviews, state.reviewed);
  const count = fetched.value?.items.length ?? 0;
  if (count === 0) return null;
  const overdue = fetched.value?.items.some((due) => due.state === 'overdue') === true;
  return h('p', { class: 'open-reviews' }, [
    h('a', { href: reviewsAddress }, [
      count === 1
        ? '1 release by one person alone waits for a review'
        : `${countText(count)} releases by one person alone wait for a review`,
    ]),
    overdue ? ', overdue' : '',
    '.',
  ]);
}
