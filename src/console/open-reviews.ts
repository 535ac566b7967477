/** That releases by one person alone wait for a review, above the queue. */
import { type ComponentChild, h } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { countText } from './counts.ts';
import type { Desk, DeskState } from './desk.ts';
import { useFetched } from './fetched.ts';
import { readReviews } from './oversight-data.ts';
import { reviewsAddress } from './place.ts';

export function OpenReviews(props: { readonly desk: Desk; readonly state: DeskState }): ComponentChild {
  const { desk, state } = props;
  const fetched = useFetched(desk, '/api/v1/reviews?state=open', readReviews);
  // What was broken or reviewed meanwhile, also while the first answer was on its way.
  const asked = useRef(state.reviewed);
  useEffect(() => {
    if (asked.current === state.reviewed) return;
    asked.current = state.reviewed;
    fetched.again();
  }, [state.reviewed]);
  const count = fetched.value?.length ?? 0;
  if (count === 0) return null;
  const overdue = fetched.value?.some((due) => due.state === 'overdue') === true;
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
