/** One decision's story: its entries as a line of time, each with its own bytes and the bodies it commits to. */
import { type ComponentChild, h } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { LookalikeNote, Recorded } from '../console/drawn/recorded.ts';
import { laidOut } from '../console/words/json-tree.ts';
import { entriesText, OutcomeMark } from './decisions.ts';
import type { Desk, DeskState } from './desk.ts';
import { FindingList } from './finding-list.ts';
import { PartView } from './part-view.ts';
import type { Story, StoryEntry } from './stories.ts';
import { stepOf, utcText } from './words.ts';

interface StoryProps {
  readonly desk: Desk;
  readonly state: DeskState;
  readonly story: Story;
}

export function StoryView({ desk, state, story }: StoryProps): ComponentChild {
  const { line, entries, more } = story;
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    title.current?.focus();
    const back = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') desk.close();
    };
    document.addEventListener('keydown', back);
    return () => document.removeEventListener('keydown', back);
  }, [desk, line.seq]);
  return h('section', { class: 'story', 'aria-labelledby': 'story' }, [
    h('div', { class: 'section-head' }, [
      h('button', { type: 'button', class: 'button', onClick: desk.close }, 'All decisions'),
      h('h2', { id: 'story', ref: title, tabIndex: -1 }, line.id),
      h(OutcomeMark, { outcome: line.outcome }),
      h('span', { class: 'quiet' }, entriesText(entries.length + more)),
    ]),
    h(LookalikeNote, { text: `${line.workload} ${line.model} ${line.operation}` }),
    h(
      'ol',
      { class: 'steps' },
      entries.map((entry) => h(StepView, { key: entry.seq, desk, state, story, entry })),
    ),
    more > 0 && h('p', { class: 'note' }, `${entriesText(more)} more are in the file and not listed here.`),
  ]);
}

interface StepProps extends StoryProps {
  readonly entry: StoryEntry;
}

function StepView({ desk, state, story, entry }: StepProps): ComponentChild {
  const { title, tone, facts } = stepOf(entry);
  const isClosing = title === 'Closed' || title === 'Closed after a restart';
  return h('li', { class: `step step-${entry.findings.length > 0 ? 'bad' : tone}` }, [
    h('div', { class: 'step-head' }, [
      h('h3', null, [title, isClosing && [' as ', h(OutcomeMark, { outcome: story.line.outcome })]]),
      h('span', { class: 'num quiet' }, [h(Recorded, { text: utcText(entry.at) }), ` · entry ${entry.seq}`]),
    ]),
    h(FindingList, { findings: entry.findings }),
    facts.length > 0 &&
      h(
        'dl',
        { class: 'step-facts' },
        facts.map(([name, text]) =>
          h('div', { key: name }, [
            h('dt', null, name),
            h('dd', { class: name === 'digest' ? 'hash mono' : '' }, h(Recorded, { text })),
          ]),
        ),
      ),
    entry.parts.map(({ name, size }, index) =>
      h(PartView, {
        key: `${entry.seq}/${index}`,
        name,
        size,
        fileName: `${story.line.id}-${entry.seq}-${index}.bin`,
        canOpen: story.canOpen,
        content: state.parts.get(`${entry.seq}/${index}`) ?? null,
        onOpen: () => void desk.readPart(entry.seq, index),
      }),
    ),
    h('details', null, [
      h('summary', null, 'The entry as sealed'),
      h('pre', { class: 'source' }, h(Recorded, { text: laidOut(entry.json) })),
    ]),
  ]);
}
