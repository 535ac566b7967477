/** Editing what is held, with what it changes beside it. */
import { type ComponentChild, h } from 'preact';
import { DifferenceView } from '../drawn/difference-view.ts';
import { Recorded } from '../drawn/recorded.ts';
import { hidesCharacters, markedText } from '../words/text.ts';
import type { Drafts, Edited } from './amendment.ts';

interface AmendEditorProps {
  readonly edits: readonly Edited[];
  readonly drafts: Drafts;
  readonly onEdit: (key: string, text: string) => void;
}

export function AmendEditor({ edits, drafts, onEdit }: AmendEditorProps): ComponentChild {
  return h(
    'div',
    { class: 'editors' },
    edits.map((edit) =>
      h(Editor, {
        key: edit.editable.key,
        edit,
        draft: drafts[edit.editable.key] ?? edit.editable.source,
        onEdit,
      }),
    ),
  );
}

const rowsMin = 3;
const rowsMax = 14;

interface EditorProps {
  readonly edit: Edited;
  readonly draft: string;
  readonly onEdit: (key: string, text: string) => void;
}

function Editor({ edit, draft, onEdit }: EditorProps): ComponentChild {
  const { editable, problem, lines, changed } = edit;
  const id = `edit-${editable.key}`;
  const rows = Math.min(rowsMax, Math.max(rowsMin, draft.split('\n').length));
  return h('div', { class: 'editor' }, [
    h('div', null, [
      h('label', { for: id }, h(Recorded, { text: editable.label })),
      h('textarea', {
        id,
        rows,
        class: editable.language === 'json' ? 'mono' : '',
        spellcheck: false,
        autocomplete: 'off',
        value: draft,
        'aria-invalid': problem === '' ? 'false' : 'true',
        'aria-describedby': `${id}-problem`,
        onInput: (event: Event) => {
          if (event.currentTarget instanceof HTMLTextAreaElement)
            onEdit(editable.key, event.currentTarget.value);
        },
      }),
      h('p', { id: `${id}-problem`, class: 'problem' }, markedText(problem)),
      hidesCharacters(draft)
        ? h(
            'p',
            { class: 'note' },
            'This text has characters that cannot be seen here; the difference marks them.',
          )
        : null,
    ]),
    h('div', { class: 'diff-side' }, [
      h('p', { class: 'label' }, changed ? 'What changes' : 'Nothing changed yet'),
      changed ? h(DifferenceView, { lines }) : null,
    ]),
  ]);
}
