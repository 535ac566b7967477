/** A table of records: its heads, and rows that scroll sideways where they do not fit. */
import { type ComponentChild, h } from 'preact';

interface RecordTableProps {
  /** What it lists, for whoever does not see it. */
  readonly label: string;
  readonly heads: readonly string[];
  /** Stays a table on a phone, where others become lines. */
  readonly isNumbers?: boolean;
  /** Rows. */
  readonly children?: ComponentChild;
}

export function RecordTable(props: RecordTableProps): ComponentChild {
  const { label, heads, isNumbers = false, children } = props;
  return h(
    'div',
    { class: 'table-scroll', tabIndex: 0, role: 'region', 'aria-label': label },
    h('table', { class: isNumbers ? 'records numbers' : 'records' }, [
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          heads.map((head) => h('th', { key: head, scope: 'col' }, head)),
        ),
      ),
      h('tbody', null, children),
    ]),
  );
}
