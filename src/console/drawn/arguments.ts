/** A tool call's arguments as a table: name, type, value, nothing cut, nothing hidden, numbers as they were sent. */
import { type ComponentChild, h } from 'preact';
import { placeBelow } from '../answers/because-data.ts';
import { countText } from '../words/counts.ts';
import { countOf, groupedNumber, type JsonTree, printJson, readJson } from '../words/json-tree.ts';
import { MatchedMark } from './because.ts';
import { LookalikeNote, Recorded } from './recorded.ts';

interface Marked {
  /** Places, as JSON Pointers (RFC 6901), of what is marked as matched. */
  readonly matched: ReadonlySet<string>;
  /** The place of the value that is drawn. */
  readonly path: string;
}

const nowhere: Marked = { matched: new Set(), path: '' };

/** A browser takes minutes to draw a table of some hundred thousand rows, and nobody rules on a page that does not come. */
export const argumentRowsMax = 2_000;

interface ArgumentsProps extends Partial<Marked> {
  readonly source: string;
  /** What has more is laid out as text. */
  readonly rowsMax?: number;
}

export function ArgumentsTable(props: ArgumentsProps): ComponentChild {
  const { source, matched = nowhere.matched, path = nowhere.path, rowsMax = argumentRowsMax } = props;
  if (source.trim() === '') return h('p', { class: 'quiet' }, 'Without arguments.');
  const tree = readJson(source);
  if (tree === null) {
    return h('div', null, [
      h('p', { class: 'note' }, [
        h('strong', null, 'The arguments are not JSON, or nested too deep for a table. '),
        'This is what the workload gets, character by character.',
      ]),
      h('pre', { class: 'raw' }, h(Recorded, { text: source })),
    ]);
  }
  if (countOf(tree) > rowsMax) return h(ArgumentsText, { tree });
  return h('div', null, [
    tree.kind === 'object' && tree.members.length === 0
      ? h('p', { class: 'quiet' }, 'Without arguments.')
      : h('div', { class: 'table-scroll' }, h(Value, { tree, top: true, matched, path })),
    h(LookalikeNote, { text: textsIn(tree).join('\n') }),
  ]);
}

/** Whole as well, in one piece. That a name stands twice in them is told above all calls. */
function ArgumentsText({ tree }: { readonly tree: JsonTree }): ComponentChild {
  return h('div', null, [
    h('p', { class: 'note' }, [
      h('strong', null, `${countText(countOf(tree))} values, more than a table shows here. `),
      'This is all of them as JSON.',
    ]),
    h('pre', { class: 'raw' }, h(Recorded, { text: printJson(tree) })),
    h(LookalikeNote, { text: textsIn(tree).join('\n') }),
  ]);
}

function Value(props: { readonly tree: JsonTree; readonly top?: boolean } & Marked): ComponentChild {
  const { tree, top = false, matched, path } = props;
  switch (tree.kind) {
    case 'object':
      if (tree.members.length === 0) return h('span', { class: 'quiet' }, 'empty object');
      return h(Rows, {
        top,
        matched,
        rows: tree.members.map(({ name, value, repeated }) => ({
          ...{ name, value, repeated },
          path: placeBelow(path, name),
        })),
      });
    case 'list':
      if (tree.items.length === 0) return h('span', { class: 'quiet' }, 'empty list');
      return h(Rows, {
        top,
        matched,
        rows: tree.items.map((value, i) => ({
          ...{ name: `${i + 1}.`, value, repeated: false },
          path: placeBelow(path, `${i}`),
        })),
      });
    case 'text':
      return tree.text === ''
        ? h('span', { class: 'quiet' }, 'empty text')
        : h('span', { class: 'value-text' }, h(Recorded, { text: tree.text }));
    case 'number':
      return h(NumberValue, { text: tree.text });
    default:
      return h('code', null, tree.text);
  }
}

interface Row {
  readonly name: string;
  readonly value: JsonTree;
  readonly repeated: boolean;
  readonly path: string;
}

function Rows(props: {
  readonly rows: readonly Row[];
  readonly top: boolean;
  readonly matched: ReadonlySet<string>;
}): ComponentChild {
  const { rows, top, matched } = props;
  return h('table', { class: top ? 'args' : 'args args-inner' }, [
    top
      ? h(
          'thead',
          null,
          h('tr', null, [
            h('th', { scope: 'col' }, 'argument'),
            h('th', { scope: 'col', class: 'args-type' }, 'type'),
            h('th', { scope: 'col' }, 'value'),
          ]),
        )
      : null,
    h(
      'tbody',
      null,
      rows.map(({ name, value, repeated, path }, i) =>
        h('tr', { key: `${i}`, ...(matched.has(path) ? { class: 'args-matched' } : {}) }, [
          h('th', { scope: 'row' }, [
            h(Recorded, { text: name }),
            repeated
              ? h(
                  'strong',
                  { class: 'flag', title: 'The name stands twice; parsers differ in which they take' },
                  'repeated',
                )
              : null,
          ]),
          h('td', { class: 'args-type' }, typeOf(value)),
          h('td', null, [
            h(Value, { tree: value, matched, path }),
            matched.has(path) ? [' ', h(MatchedMark, null)] : null,
          ]),
        ]),
      ),
    ),
  ]);
}

function NumberValue({ text }: { readonly text: string }): ComponentChild {
  const grouped = groupedNumber(text);
  return h('span', { class: 'value-number num' }, [
    text,
    grouped === '' ? null : h('span', { class: 'quiet' }, `  = ${grouped}`),
  ]);
}

function typeOf(tree: JsonTree): string {
  if (tree.kind === 'list') return `list of ${tree.items.length}`;
  return tree.kind;
}

/** Every text and name inside, for a look at their letters. */
function textsIn(tree: JsonTree): readonly string[] {
  switch (tree.kind) {
    case 'object':
      return tree.members.flatMap(({ name, value }) => [name, ...textsIn(value)]);
    case 'list':
      return tree.items.flatMap(textsIn);
    case 'text':
      return [tree.text];
    default:
      return [];
  }
}
