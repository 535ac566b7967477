/** A tool call's arguments as a table: name, type, value, nothing cut, nothing hidden, numbers as they were sent. */
import { type ComponentChild, h } from 'preact';
import { groupedNumber, type JsonTree, readJson } from './json-tree.ts';
import { LookalikeNote, Recorded } from './recorded.ts';

export function ArgumentsTable({ source }: { readonly source: string }): ComponentChild {
  if (source.trim() === '') return h('p', { class: 'quiet' }, 'Without arguments.');
  const tree = readJson(source);
  if (tree === null) {
    return h('div', null, [
      h('p', { class: 'note' }, [
        h('strong', null, 'The arguments are not JSON. '),
        'This is what the workload gets, character by character.',
      ]),
      h('pre', { class: 'raw' }, h(Recorded, { text: source })),
    ]);
  }
  return h('div', null, [
    tree.kind === 'object' && tree.members.length === 0
      ? h('p', { class: 'quiet' }, 'Without arguments.')
      : h('div', { class: 'table-scroll' }, h(Value, { tree, top: true })),
    h(LookalikeNote, { text: textsIn(tree).join('\n') }),
  ]);
}

function Value({ tree, top = false }: { readonly tree: JsonTree; readonly top?: boolean }): ComponentChild {
  switch (tree.kind) {
    case 'object':
      if (tree.members.length === 0) return h('span', { class: 'quiet' }, 'empty object');
      return h(Rows, {
        top,
        rows: tree.members.map(({ name, value, repeated }) => ({ name, value, repeated })),
      });
    case 'list':
      if (tree.items.length === 0) return h('span', { class: 'quiet' }, 'empty list');
      return h(Rows, {
        top,
        rows: tree.items.map((value, i) => ({ name: `${i + 1}.`, value, repeated: false })),
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
}

function Rows({ rows, top }: { readonly rows: readonly Row[]; readonly top: boolean }): ComponentChild {
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
      rows.map(({ name, value, repeated }, i) =>
        h('tr', { key: `${i}` }, [
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
          h('td', null, h(Value, { tree: value })),
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
