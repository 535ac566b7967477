/**
 * Charts as SVG, each with the same numbers as a table beside it: stacked columns over time, and bars by name. Colours
 * are classes, never the only difference: a series has its place in the stack, its name in the legend and its column.
 */
import { type ComponentChild, h } from 'preact';
import { countText } from '../words/counts.ts';

export interface Series {
  readonly name: string;
  /** Class of its colour: `chart-good`. */
  readonly tone: string;
  /** One value a column; null where there is none. */
  readonly values: readonly (number | null)[];
}

interface ColumnsProps {
  readonly title: string;
  /** In a sentence, for those who do not see it. */
  readonly says: string;
  readonly columns: readonly string[];
  readonly series: readonly Series[];
  /** What stands there where there is nothing to draw. */
  readonly empty: string;
  readonly format?: (value: number) => string;
}

const width = 640;
const height = 200;
const left = 52;
const bottom = 24;
const top = 10;
const labelsMax = 6;

export function Columns({
  title,
  says,
  columns,
  series,
  empty,
  format = plain,
}: ColumnsProps): ComponentChild {
  const totals = columns.map((_, i) => series.reduce((sum, { values }) => sum + (values[i] ?? 0), 0));
  const peak = niceCeiling(Math.max(...totals, 1));
  const step = (width - left) / Math.max(1, columns.length);
  const y = (value: number): number => height - bottom - (value / peak) * (height - bottom - top);
  if (totals.every((total) => total === 0))
    return h(ChartFrame, { title, table: null, legend: [], drawing: h('p', { class: 'quiet' }, empty) });
  return h(ChartFrame, {
    title,
    table: h(NumberTable, { title, columns, series, format }),
    legend: series.length > 1 ? series : [],
    drawing: h(
      'svg',
      { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `${title}. ${says}`, class: 'chart' },
      [
        h(
          'g',
          { key: 'grid' },
          gridValues(peak).map((value) =>
            h('g', { key: value }, [
              h('line', { class: 'chart-grid', x1: left, x2: width, y1: y(value), y2: y(value) }),
              h(
                'text',
                { class: 'chart-label', x: left - 8, y: y(value) + 4, 'text-anchor': 'end' },
                format(value),
              ),
            ]),
          ),
        ),
        h(
          'g',
          { key: 'columns' },
          columns.map((column, i) => h(Column, { key: column, x: left + i * step, step, series, at: i, y })),
        ),
        h(
          'g',
          { key: 'labels' },
          columns.map((column, i) =>
            i % Math.ceil(columns.length / labelsMax) === 0
              ? h(
                  'text',
                  { key: column, class: 'chart-label', x: left + i * step + 1, y: height - 6 },
                  column,
                )
              : null,
          ),
        ),
      ],
    ),
  });
}

interface ColumnProps {
  readonly x: number;
  readonly step: number;
  readonly series: readonly Series[];
  readonly at: number;
  readonly y: (value: number) => number;
}

function Column({ x, step, series, at, y }: ColumnProps): ComponentChild {
  const gap = Math.min(4, step * 0.25);
  let below = 0;
  return h(
    'g',
    null,
    series.map(({ name, tone, values }) => {
      const value = values[at] ?? 0;
      const from = y(below);
      below += value;
      const to = y(below);
      if (value === 0) return null;
      return h('rect', {
        key: name,
        class: tone,
        x: x + gap / 2,
        width: step - gap,
        y: to,
        height: Math.max(1, from - to),
        rx: Math.min(2, step / 6),
      });
    }),
  );
}

interface BarsProps {
  readonly title: string;
  readonly says: string;
  readonly bars: readonly {
    readonly name: ComponentChild | string;
    readonly key: string;
    readonly value: number;
    readonly tone: string;
    readonly href?: string;
  }[];
  readonly empty: string;
}

/** Bars are rows of a table already: the drawing is in its last column. */
export function Bars({ title, says, bars, empty }: BarsProps): ComponentChild {
  const peak = Math.max(...bars.map(({ value }) => value), 1);
  return h('section', { class: 'card chart-card', 'aria-label': title }, [
    h('h2', null, title),
    bars.length === 0
      ? h('p', { class: 'quiet' }, empty)
      : h('table', { class: 'bars' }, [
          h('caption', { class: 'sr-only' }, says),
          h(
            'tbody',
            null,
            bars.map(({ name, key, value, tone, href }) =>
              h('tr', { key }, [
                h('th', { scope: 'row' }, href === undefined ? name : h('a', { href }, name)),
                h('td', { class: 'num' }, countText(value)),
                h(
                  'td',
                  { class: 'bar-cell', 'aria-hidden': 'true' },
                  h(
                    'svg',
                    { viewBox: '0 0 100 8', preserveAspectRatio: 'none' },
                    h('rect', {
                      class: tone,
                      width: Math.max(value > 0 ? 0.8 : 0, (value / peak) * 100),
                      height: 8,
                      rx: 1,
                    }),
                  ),
                ),
              ]),
            ),
          ),
        ]),
  ]);
}

interface ChartFrameProps {
  readonly title: string;
  readonly drawing: ComponentChild;
  readonly table: ComponentChild;
  readonly legend: readonly Series[];
}

function ChartFrame({ title, drawing, table, legend }: ChartFrameProps): ComponentChild {
  return h('section', { class: 'card chart-card', 'aria-label': title }, [
    h('div', { class: 'chart-head' }, [
      h('h2', null, title),
      legend.length === 0
        ? null
        : h(
            'ul',
            { class: 'legend', 'aria-hidden': 'true' },
            legend.map(({ name, tone }) =>
              h('li', { key: name }, [
                h(
                  'svg',
                  { viewBox: '0 0 10 10', width: 10, height: 10 },
                  h('rect', { class: tone, width: 10, height: 10, rx: 2 }),
                ),
                name,
              ]),
            ),
          ),
    ]),
    drawing,
    table === null ? null : h('details', { class: 'fold' }, [h('summary', null, 'As a table'), table]),
  ]);
}

function NumberTable({
  title,
  columns,
  series,
  format = plain,
}: Omit<ColumnsProps, 'says' | 'empty'>): ComponentChild {
  return h(
    'div',
    { class: 'table-scroll', tabIndex: 0, role: 'region', 'aria-label': `${title}, as a table` },
    h('table', { class: 'records numbers' }, [
      h('caption', { class: 'sr-only' }, title),
      h(
        'thead',
        null,
        h('tr', null, [
          h('th', { scope: 'col' }, 'From (UTC)'),
          series.map(({ name }) => h('th', { key: name, scope: 'col' }, name)),
        ]),
      ),
      h(
        'tbody',
        null,
        columns.map((column, i) =>
          h('tr', { key: column }, [
            h('th', { scope: 'row', class: 'num' }, column),
            series.map(({ name, values }) => {
              const value = values[i] ?? null;
              return h('td', { key: name, class: 'num' }, value === null ? '–' : format(value));
            }),
          ]),
        ),
      ),
    ]),
  );
}

function plain(value: number): string {
  return value >= 10_000 ? new Intl.NumberFormat('en', { notation: 'compact' }).format(value) : String(value);
}

/** The next of 1, 2, 4, 5, 8 and 10 times a power of ten; a count has no smaller step than 1. */
export function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return ([1, 2, 4, 5, 8, 10].find((step) => step * power >= value) ?? 10) * power;
}

/** Whole values only: there is no half hold. */
function gridValues(peak: number): readonly number[] {
  const lines = [4, 5, 2, 1].find((count) => peak % count === 0) ?? 1;
  return Array.from({ length: lines + 1 }, (_, i) => (peak / lines) * i);
}
