/** The interactive queue as rows of text. Pure; every recorded character is made visible before it is a row. */
import { type Detail, duration } from './holds.ts';
import type { Listed, QueueState } from './queue-state.ts';
import { cell, type Paint, type Style, wrap } from './screen.ts';

export interface Size {
  readonly rows: number;
  readonly columns: number;
}

const severityStyle: Readonly<Record<string, Style>> = {
  critical: 'red',
  high: 'red',
  medium: 'yellow',
  low: 'dim',
};
const columnsMin = 40;
const rowsMin = 8;

/** Exactly `size.rows` rows. */
export function rowsOf(state: QueueState, size: Size, nowMs: number, paint: Paint): string[] {
  const columns = Math.max(columnsMin, size.columns);
  const rows = Math.max(rowsMin, size.rows);
  const [title, body, keys] =
    state.open === null
      ? listParts(state, rows - 3, columns, nowMs, paint)
      : holdParts(state, state.open, rows - 3, columns, nowMs);
  const filled = [...body, ...Array<string>(Math.max(0, rows - 3 - body.length)).fill('')].slice(0, rows - 3);
  const last =
    state.prompt === null
      ? cell(state.said, columns)
      : cell(
          `${state.prompt.verdict === 'deny' ? 'Deny, because' : 'Release (reason, or none)'}: ${tail(state.prompt.text, columns - 30)}_`,
          columns,
        );
  return [paint('bold', cell(title, columns)), ...filled, paint('dim', cell(keys, columns)), last];
}

/** The end of what is being typed. */
function tail(text: string, characters: number): string {
  return [...text].slice(-Math.max(1, characters)).join('');
}

type Parts = readonly [title: string, body: readonly string[], keys: string];

function listParts(state: QueueState, rows: number, columns: number, nowMs: number, paint: Paint): Parts {
  const at = Math.max(
    0,
    state.items.findIndex(({ id }) => id === state.selected),
  );
  const first = Math.max(0, Math.min(at - Math.floor(rows / 2), state.items.length - rows));
  const shown = state.items.slice(first, first + rows).map((hold) => {
    const row = listRow(hold, columns, nowMs);
    return hold.id === state.selected
      ? paint('inverse', row)
      : paint(severityStyle[hold.severity] ?? 'bold', row);
  });
  const title =
    state.total === 0 ? 'Nothing is held.' : `${state.total} held, the one that expires first in front`;
  return [title, shown, 'j/k move   enter read   q quit'];
}

function listRow(hold: Listed, columns: number, nowMs: number): string {
  const left = duration(Date.parse(hold.expiresAt) - nowMs);
  const cells = [cell(hold.severity, 8), cell(left, 7), cell(hold.workload, 16), cell(hold.id, 20)].join(
    '  ',
  );
  return cell(`${cells}  ${hold.headline}`, columns);
}

function holdParts(
  state: QueueState,
  { hold, scroll }: NonNullable<QueueState['open']>,
  rows: number,
  columns: number,
  nowMs: number,
): Parts {
  const lines = detailLines(hold).flatMap((line) => wrap(line, columns));
  const first = Math.min(scroll, Math.max(0, lines.length - rows));
  const left = duration(Date.parse(hold.expiresAt) - nowMs);
  const title = `${hold.id}  ${hold.state}  [${hold.severity}]  ${left} left  caller ${hold.caller}`;
  const place = lines.length <= rows ? '' : `   line ${first + 1} of ${lines.length}`;
  const keys =
    state.prompt === null
      ? `r release   d deny   a amend   j/k scroll   esc back${place}`
      : `enter rule   esc do not   ${state.said}`;
  return [title, lines.slice(first, first + rows), keys];
}

/** What a reviewer needs, the consequence first. */
function detailLines(hold: Detail): string[] {
  const calls = hold.exchange?.response?.toolCalls ?? [];
  const text = hold.exchange?.response?.text ?? '';
  return [
    ...calls.flatMap((call) => [
      `If you release, this tool call reaches the workload: ${call.name}`,
      JSON.stringify(call.arguments, null, 2),
      '',
    ]),
    ...(text === '' ? [] : ['Answer', text, '']),
    ...hold.rules.flatMap((rule) => [
      `Held by ${rule.id}: ${rule.title} (policy ${hold.policy.version})`,
      rule.error === '' ? rule.when : `it failed: ${rule.error}`,
      '',
    ]),
    ...(hold.exchange?.request.messages ?? []).flatMap((message) => [`${message.role}:`, message.text, '']),
    `workload ${hold.workload}   model ${hold.model}   approvals ${hold.approvals.given.length} of ${hold.approvals.needed}`,
    `decision ${hold.decisionId}`,
    `digest ${hold.digest}`,
  ];
}
