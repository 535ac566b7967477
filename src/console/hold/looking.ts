/** Who else has this hold open now, and that one has it open oneself while the page can be seen. */
import { type ComponentChild, h } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Desk, OpenHold } from '../desk/desk.ts';
import { Recorded } from '../drawn/recorded.ts';

/** A third of the time after which the sidecar believes nobody is here. */
const sayAgainMs = 15_000;

export function AlsoLooking(props: { readonly desk: Desk; readonly open: OpenHold }): ComponentChild {
  const { desk, open } = props;
  /** Null where it could not be learned. */
  const [others, setOthers] = useState<readonly string[] | null>([]);
  const lookAgain = useRef((): void => undefined);
  useEffect(() => {
    let isOpen = true;
    let saidHere = false;
    let asked = 0;
    const look = (): void => {
      const isHere = isOpen && !document.hidden;
      // Once: two tabs of one person, one of them out of sight, would take back what the other says for ever.
      if (!isHere && !saidHere) return;
      saidHere = isHere;
      asked += 1;
      const mine = asked;
      // What was asked for later knows more, whichever answer comes last.
      const hear = (found: readonly string[] | null): void => {
        if (isOpen && asked === mine) setOthers(found);
      };
      desk.look(open.id, isHere).then(hear, () => hear(null));
    };
    look();
    lookAgain.current = look;
    const timer = setInterval(look, sayAgainMs);
    document.addEventListener('visibilitychange', look);
    return () => {
      isOpen = false;
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
      look();
    };
  }, [open.id]);
  useEffect(() => {
    if (open.looks > 0) lookAgain.current();
  }, [open.looks]);
  return h('span', { class: 'also-looking', role: 'status' }, wordsOf(others));
}

function wordsOf(others: readonly string[] | null): ComponentChild {
  if (others === null) return h('span', { class: 'quiet' }, 'Who else looks at it is not known.');
  const [first, ...rest] = others;
  if (first === undefined) return null;
  const more = rest.length === 0 ? ' also looks at it.' : ` and ${rest.length} more also look at it.`;
  return [h('strong', null, h(Recorded, { text: first })), h('span', { title: others.join(', ') }, more)];
}
