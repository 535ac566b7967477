/** What happened lately, to look at rather than read: holds, how long people took, how decisions ended, tokens, latency. */
import { type ComponentChild, h } from 'preact';
import { type CountName, readSummary, type Spread, type Summary } from '../answers/overview-data.ts';
import type { Desk } from '../desk/desk.ts';
import { PageFrame, Problem, useFetched } from '../desk/fetched.ts';
import { searchAddress, windowHours } from '../desk/place.ts';
import { Bars, Columns, type Series } from '../drawn/chart.ts';
import { Damage } from '../drawn/damage.ts';
import { outcomeWords } from '../drawn/outcome.ts';
import { Recorded } from '../drawn/recorded.ts';
import { countText } from '../words/counts.ts';
import { exactText, spanText } from '../words/time.ts';

const windowNames: Readonly<Record<number, string>> = { 1: 'Hour', 24: 'Day', 168: 'Week', 720: '30 days' };

export function OverviewPage(props: { readonly desk: Desk; readonly hours: number }): ComponentChild {
  const { desk, hours } = props;
  const fetched = useFetched(desk, `/api/v1/summary?hours=${hours}`, readSummary);
  const summary = fetched.value;
  return h(PageFrame, { title: 'Overview', label: 'overview', lead: h(Windows, { hours }) }, [
    h(Problem, { of: fetched }),
    summary === null ? null : h(Charts, { summary }),
  ]);
}

function Windows({ hours }: { readonly hours: number }): ComponentChild {
  return h(
    'nav',
    { class: 'windows', 'aria-label': 'Window of time' },
    windowHours.map((known) =>
      h(
        'a',
        {
          key: known,
          href: `#/overview?hours=${known}`,
          ...(known === hours ? { 'aria-current': 'true' as const } : {}),
        },
        windowNames[known] ?? `${known} h`,
      ),
    ),
  );
}

function Charts({ summary }: { readonly summary: Summary }): ComponentChild {
  const columns = summary.buckets.map(({ atMs }) => columnName(atMs, summary));
  const series = (name: string, tone: string, of: CountName): Series => ({
    name,
    tone,
    values: summary.buckets.map(({ counts }) => counts[of]),
  });
  const total = (of: CountName): number => summary.buckets.reduce((sum, { counts }) => sum + counts[of], 0);
  const said = (of: CountName): string => countText(total(of));
  const rulings = total('released') + total('amended') + total('denied');
  return h('div', { class: 'sections' }, [
    h(Damage, {
      told: summary.unreadable,
      entries: summary.unreadableEntries,
      missing: 'None of them is counted here.',
    }),
    summary.countedFromMs > summary.fromMs
      ? h(
          'p',
          { class: 'note' },
          `So much happened that only what came after ${exactText(summary.countedFromMs)} is counted.`,
        )
      : null,
    h('dl', { class: 'figures' }, [
      figure('decisions', said('decisions'), 'recorded and sealed'),
      figure('held', said('holds'), `${countText(rulings)} ruled on, ${said('expired')} expired`),
      figure('time to a ruling', spanOrNone(summary.timeToRuling.p50), spreadNote(summary.timeToRuling)),
      figure('latency', spanOrNone(summary.latencyMs.p50), spreadNote(summary.latencyMs)),
    ]),
    h('div', { class: 'charts' }, [
      h(Columns, {
        title: 'Holds opened',
        says: `${said('holds')} in all.`,
        columns,
        series: [series('opened', 'chart-accent', 'holds')],
        empty: 'Nothing was held in this time.',
      }),
      h(Columns, {
        title: 'Rulings',
        says: `${said('released')} released, ${said('amended')} amended, ${said('denied')} denied, ${said('expired')} expired.`,
        columns,
        series: [
          series('released', 'chart-good', 'released'),
          series('amended', 'chart-accent', 'amended'),
          series('denied', 'chart-critical', 'denied'),
          series('expired', 'chart-quiet', 'expired'),
        ],
        empty: 'No hold was ruled on or expired in this time.',
      }),
      h(RulingTimes, { summary }),
      h(Outcomes, { summary }),
      h(Columns, {
        title: 'Tokens',
        says: `${said('inputTokens')} in, ${said('outputTokens')} out.`,
        columns,
        series: [series('in', 'chart-quiet', 'inputTokens'), series('out', 'chart-accent', 'outputTokens')],
        empty: 'No provider counted tokens in this time.',
      }),
      h(Columns, {
        title: 'Latency of answers, median',
        says: `${spanOrNone(summary.latencyMs.p50)} over all.`,
        columns,
        series: [
          {
            name: 'median',
            tone: 'chart-medium',
            values: summary.buckets.map(({ latencyMs }) => latencyMs.p50),
          },
        ],
        empty: 'Nothing was answered in this time.',
        format: spanText,
      }),
      h(Models, { summary }),
    ]),
  ]);
}

function RulingTimes({ summary }: { readonly summary: Summary }): ComponentChild {
  let from = 0;
  const bars = summary.rulingTimes.map(({ upToMs, count }) => {
    const name =
      upToMs === null
        ? `over ${spanText(from)}`
        : from === 0
          ? `under ${spanText(upToMs)}`
          : `${spanText(from)} to ${spanText(upToMs)}`;
    from = upToMs ?? from;
    return { name, key: name, value: count, tone: 'chart-accent' };
  });
  const hasRulings = bars.some(({ value }) => value > 0);
  return h(Bars, {
    title: 'Time to a ruling',
    says: 'Rulings of people by how long the hold had been open.',
    bars: hasRulings ? bars : [],
    empty: 'Nobody ruled in this time.',
  });
}

const tones: Readonly<Record<string, string>> = {
  delivered: 'chart-good',
  carried: 'chart-good',
  denied: 'chart-critical',
  expired: 'chart-quiet',
};

function Outcomes({ summary }: { readonly summary: Summary }): ComponentChild {
  return h(Bars, {
    title: 'How decisions ended',
    says: 'Decisions by their outcome.',
    bars: summary.outcomes.map(([outcome, value]) => ({
      name: outcomeWords(outcome),
      key: outcome,
      value,
      tone: tones[outcome] ?? 'chart-medium',
      href: searchAddress({ outcome }),
    })),
    empty: 'Nothing ended in this time.',
  });
}

function Models({ summary }: { readonly summary: Summary }): ComponentChild {
  return h(Bars, {
    title: 'Models asked for',
    says: 'Decisions by the model that was asked for.',
    bars: summary.models.map(([model, value]) => ({
      name: h(Recorded, { text: model }),
      key: model,
      value,
      tone: 'chart-accent',
    })),
    empty: 'No model was asked for in this time.',
  });
}

function figure(name: string, value: string, note: string): ComponentChild {
  return h('div', { class: 'figure', key: name }, [
    h('dt', null, name),
    h('dd', { class: 'num' }, [h('strong', null, value), h('span', { class: 'quiet' }, note)]),
  ]);
}

function spanOrNone(ms: number | null): string {
  return ms === null ? '–' : spanText(ms);
}

function spreadNote({ count, p90 }: Spread): string {
  return p90 === null
    ? 'none in this time'
    : `median of ${countText(count)}; nine in ten within ${spanText(p90)}`;
}

/** Times of day within a day, dates beyond. */
function columnName(atMs: number, { fromMs, toMs }: Summary): string {
  const text = new Date(atMs).toISOString();
  const days = (toMs - fromMs) / 86_400_000;
  if (days <= 1) return text.slice(11, 16);
  return days <= 7 ? `${text.slice(5, 10)} ${text.slice(11, 16)}` : text.slice(5, 10);
}
