/** What reviewers say to each other about a hold, and a field to say something. */
import { type ComponentChild, h } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { type Identity, may } from '../answers/hold-data.ts';
import type { Comment, HoldDetail } from '../answers/hold-detail.ts';
import { Age } from '../desk/clock.ts';
import type { Desk } from '../desk/desk.ts';
import { sendKeys, sendsByKeys } from '../drawn/reason.ts';
import { Recorded } from '../drawn/recorded.ts';
import { isTooLong, TooLong } from '../drawn/too-long.ts';
import { problemOf } from './ruling-panel.ts';

interface TalkProps {
  readonly desk: Desk;
  readonly detail: HoldDetail;
  readonly identity: Identity;
}

export function Talk({ desk, detail, identity }: TalkProps): ComponentChild {
  const { comments, summary } = detail;
  const isOpen = summary.state === 'pending';
  return h('section', { class: 'talk', 'aria-labelledby': 'talk-title' }, [
    h('h2', { id: 'talk-title' }, 'Comments'),
    comments.length === 0
      ? h('p', { class: 'quiet' }, isOpen ? 'Nobody has said anything yet.' : 'Nobody said anything.')
      : h(
          'ol',
          { class: 'comments' },
          comments.map((comment) => h(Said, { key: `${comment.by} ${comment.atMs}`, comment })),
        ),
    !isOpen
      ? null
      : !may(identity, 'read_content')
        ? h('p', { class: 'quiet' }, `The role ${identity.role} reads no comments and writes none.`)
        : h(Say, { desk, id: summary.id }),
  ]);
}

export function Said({ comment }: { readonly comment: Comment }): ComponentChild {
  const { by, role, atMs, text } = comment;
  return h('li', { class: 'comment' }, [
    h('p', { class: 'comment-by' }, [
      h('strong', null, by),
      h('span', { class: 'quiet' }, [` ${role}, `, h(Age, { atMs, suffix: 'ago' })]),
    ]),
    text === null
      ? h('p', { class: 'quiet' }, 'What was said is erased, cannot be read, or is not for your role.')
      : h('div', { class: 'prose' }, h(Recorded, { text })),
  ]);
}

function Say({ desk, id }: { readonly desk: Desk; readonly id: string }): ComponentChild {
  const [text, setText] = useState(() => desk.draftOf(id).comment);
  const write = (comment: string): void => {
    desk.keepDraft(id, { comment });
    setText(comment);
  };
  const [problem, setProblem] = useState('');
  const [sending, setSending] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  function submit(event: Event): void {
    event.preventDefault();
    if (sending || text.trim() === '' || isTooLong(text)) {
      if (isTooLong(text)) setProblem('Shorten it.');
      field.current?.focus();
      return;
    }
    setSending(true);
    setProblem('');
    desk
      .comment(id, text)
      .then(() => {
        // What was written while it was on its way is not sent yet.
        if (desk.draftOf(id).comment === text) write('');
      })
      .catch((error: unknown) => setProblem(problemOf(error)))
      .finally(() => setSending(false));
  }
  return h(
    'form',
    {
      class: 'say',
      onSubmit: submit,
      onKeyDown: sendsByKeys(submit),
    },
    [
      h('label', { for: 'say' }, [
        'Say something ',
        h('span', { class: 'quiet' }, 'sealed; erased with the call'),
      ]),
      h('div', { class: 'reason-row' }, [
        h('textarea', {
          id: 'say',
          ref: field,
          rows: 2,
          value: text,
          'aria-invalid': isTooLong(text) ? 'true' : 'false',
          'aria-describedby': 'say-excess',
          onInput: (event: Event) => {
            if (event.currentTarget instanceof HTMLTextAreaElement) write(event.currentTarget.value);
          },
        }),
        h('button', { type: 'submit', class: 'button', disabled: sending }, [
          'Comment ',
          h('kbd', { 'aria-hidden': 'true' }, sendKeys()),
        ]),
      ]),
      h(TooLong, { id: 'say-excess', text }),
      h('p', { class: 'problem', role: 'alert' }, problem),
    ],
  );
}
