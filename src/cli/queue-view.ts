/** The interactive queue as rows of text. Pure; every recorded character is made visible before it is a row. */
import { becauseLines, rulesIn } from './because.ts';
import { callLines } from './call-lines.ts';
import { conversationIn, heldIn, offeredIn, remarksIn } from './held-content.ts';
import { type Detail, headlineOf, isOver, rulingsIn, unnamed, withheldIn } from './hold-answers.ts';
import { duration, visible } from './print.ts';
import { promptWords } from './queue-prompt.ts';
import type { Listed, OpenHold, QueueState } from './queue-state.ts';
import { cell, ending, type Paint, type Style, wrap } from './screen.ts';
import { whoRules } from './who-rules.ts';

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
/** A row cannot be less: what stands beyond the margin of a narrower terminal is not seen. */
const columnsMin = 20;
/** Of a reason, while it is typed. */
const typedColumnsMin = 10;
const rowsMin = 8;

/** Scrolled no further than to its end: a key that was pressed once too often is not to be taken back before the next one counts. */
export function scrolledWithin(state: QueueState, size: Size): QueueState {
  const { open } = state;
  if (open === null || open.scroll === 0) return state;
  const { rows, columns } = sizeAtLeast(size);
  const scrollMax = Math.max(0, detailRows(open.hold, open.withheld, columns).length - (rows - 3));
  return open.scroll <= scrollMax ? state : { ...state, open: { ...open, scroll: scrollMax } };
}

function sizeAtLeast({ rows, columns }: Size): Size {
  return { rows: Math.max(rowsMin, rows), columns: Math.max(columnsMin, columns) };
}

/** Exactly `size.rows` rows. */
export function rowsOf(state: QueueState, size: Size, nowMs: number, paint: Paint): string[] {
  const { rows, columns } = sizeAtLeast(size);
  const [title, body, keys] =
    state.open === null
      ? listParts(state, rows - 3, columns, nowMs, paint)
      : holdParts(state, state.open, rows - 3, columns, nowMs);
  const filled = [...body, ...Array<string>(Math.max(0, rows - 3 - body.length)).fill('')].slice(0, rows - 3);
  const last = state.prompt === null ? state.said : promptRow(state.prompt, columns);
  return [
    paint('bold', cell(title, columns)),
    ...filled,
    paint('dim', cell(keys, columns)),
    cell(last, columns),
  ];
}

/** What is typed keeps its place where the words have none: nobody rules for a reason that they do not see. */
function promptRow({ kind, text }: NonNullable<QueueState['prompt']>, columns: number): string {
  const words = promptWords[kind];
  const between = ': _';
  const room = Math.min(words.length, columns - between.length - typedColumnsMin);
  const shown = cell(words, room);
  return `${shown}: ${ending(text, columns - between.length - room)}_`;
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
  const cells = [
    cell(hold.severity, 8),
    cell(left, 7),
    cell(hold.workload || unnamed, 16),
    cell(hold.id, 20),
  ].join('  ');
  return cell(`${cells}  ${headlineOf(hold)}`, columns);
}

function holdParts(
  state: QueueState,
  { hold, scroll, withheld }: OpenHold,
  rows: number,
  columns: number,
  nowMs: number,
): Parts {
  // Broken glass releases all of it, whatever was chosen before.
  const isBreaking = state.prompt?.kind.endsWith('break-glass') === true;
  const lines = detailRows(hold, isBreaking ? none : withheld, columns);
  const first = Math.min(scroll, Math.max(0, lines.length - rows));
  const left = isOver(hold) ? '' : `${duration(Date.parse(hold.expiresAt) - nowMs)} left  `;
  const title = `${hold.id}  ${hold.state}  [${hold.severity}]  ${left}caller ${hold.caller}`;
  const place = lines.length <= rows ? '' : `   line ${first + 1} of ${lines.length}`;
  const keys =
    state.prompt === null
      ? `${keysIn(hold)}   j/k scroll   esc back${place}`
      : `enter ${state.prompt.kind === 'break-glass' ? 'go on' : 'rule'}   esc do not   ${state.said}`;
  return [title, lines.slice(first, first + rows), keys];
}

/** A key that does nothing for this person is in brackets; pressed, it says why. */
function keysIn({ actions, exchange, breakGlass }: Detail): string {
  const key = (words: string, why: string): string => (why === '' ? words : `(${words})`);
  const calls = exchange?.response?.toolCalls.length ?? 0;
  return [
    key('r release', actions.release),
    key('d deny', actions.deny),
    key('a amend', actions.amend),
    ...(calls > 1 ? [key(`1-${Math.min(9, calls)} withhold`, actions.releaseCalls)] : []),
    ...(breakGlass.length > 0 ? [key('b break glass', actions.breakGlass)] : []),
  ].join('   ');
}

const none: ReadonlySet<number> = new Set();

interface Laid {
  readonly withheld: ReadonlySet<number>;
  readonly columns: number;
  readonly rows: readonly string[];
}

/** The rows of a hold as they were laid out last: megabytes take seconds, and it is drawn at every key. */
const laid = new WeakMap<Detail, Laid>();

function detailRows(hold: Detail, withheld: ReadonlySet<number>, columns: number): readonly string[] {
  const last = laid.get(hold);
  if (last?.withheld === withheld && last.columns === columns) return last.rows;
  const rows = laidOut(hold, withheld, columns);
  laid.set(hold, { withheld, columns, rows });
  return rows;
}

/** What a reviewer needs, the consequence first. What is ours begins at the margin, and nothing recorded does. */
function laidOut(hold: Detail, withheld: ReadonlySet<number>, columns: number): string[] {
  const own = (line: string): string[] => ours(line, columns);
  const part = ({ title, text }: { readonly title: string; readonly text: string }): string[] => [
    ...own(title),
    ...(text === '' ? [] : quoted(text, columns)),
  ];
  return [
    ...callRows(hold, withheld, columns),
    ...heldIn(hold).flatMap((held) => [...part(held), '']),
    ...hold.rules.flatMap((rule) => [
      ...own(`Held by ${rule.id}: ${rule.title} (policy ${hold.policy.version})`),
      ...becauseLines(rule).flatMap((line) => quoted(line, columns)),
      '',
    ]),
    ...own('Who rules'),
    ...whoRules(hold).flatMap(own),
    ...rulingsIn(hold).flatMap(({ title, reason }) => part({ title, text: reason })),
    ...remarksIn(hold).flatMap(part),
    ...(hold.assignee === '' ? [] : own(`${hold.assignee} is on it`)),
    '',
    ...conversationIn(hold).flatMap(({ who, text }) => [...part({ title: `From ${who}:`, text }), '']),
    ...[...offeredIn(hold), ...rulesIn(hold)].flatMap((one) => [...part(one), '']),
    ...own(`workload ${hold.workload || unnamed}   model ${hold.model}`),
    ...own(`decision ${hold.decisionId}`),
    ...own(`digest ${hold.digest}`),
  ];
}

const margin = '  ';

/** A line of our own, with names in it that somebody else gave: where it goes on it stands behind the margin. */
function ours(line: string, columns: number): string[] {
  const [first = '', ...further] = wrap(visible(line), columns - margin.length);
  return [first, ...further.map((row) => margin + row)];
}

/** Rows of a text that somebody else wrote. */
function quoted(text: string, columns: number): string[] {
  return wrap(text, columns - margin.length).map((row) => margin + row);
}

function callRows(hold: Detail, chosen: ReadonlySet<number>, columns: number): string[] {
  const withheld = isOver(hold) ? withheldIn(hold) : chosen;
  const calls = hold.exchange?.response?.toolCalls ?? [];
  const [only] = calls;
  const own = (line: string): string[] => ours(line, columns);
  const argumentsOf = (call: (typeof calls)[number]): string[] => quoted(callLines(call).join('\n'), columns);
  if (calls.length === 1 && only !== undefined) {
    return [
      ...own(
        isOver(hold)
          ? `What was held, a tool call${withheld.has(0) ? ' that was withheld' : ''}: ${only.name}`
          : `If you release, this tool call reaches the workload: ${only.name}`,
      ),
      ...argumentsOf(only),
      '',
    ];
  }
  return calls.flatMap((call, place) => [
    ...(place === 0
      ? own(
          isOver(hold)
            ? `What was held, ${calls.length} tool calls:`
            : `If you release, ${calls.length - withheld.size} of ${calls.length} tool calls reach the workload:`,
        )
      : []),
    ...own(
      `${place + 1}  ${withheld.has(place) ? 'withheld' : isOver(hold) ? '        ' : 'goes    '}  ${call.name}`,
    ),
    ...argumentsOf(call),
    '',
  ]);
}
