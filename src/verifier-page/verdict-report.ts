/** The verdict in plain words, with everything it rests on and what it does not show. This is what gets printed. */
import { type ComponentChild, h } from 'preact';
import { Recorded } from '../console/drawn/recorded.ts';
import type { Verdict } from '../ledger/verify/verify.ts';
import type { Verified } from './engine.ts';
import { FindingList } from './finding-list.ts';
import { counted, countText, outcomeText, sizeText, utcText } from './words.ts';

interface VerdictProps {
  readonly verified: Verified;
  readonly files: readonly File[];
}

export function VerdictReport({ verified, files }: VerdictProps): ComponentChild {
  const { verdict, bytes, elapsedMs } = verified;
  const names = files.map(({ name }) => name).join(', ');
  return h(
    'section',
    { class: `verdict verdict-${verdict.ok ? 'good' : 'bad'}`, 'aria-labelledby': 'verdict' },
    [
      h('div', { class: 'verdict-head' }, [
        h(VerdictMark, { ok: verdict.ok }),
        h('div', null, [
          h('h2', { id: 'verdict' }, verdict.ok ? 'Intact' : 'Not intact'),
          h('p', null, sentence(verdict)),
        ]),
        h('span', { class: `assurance assurance-${verdict.assurance.toLowerCase()}` }, verdict.assurance),
      ]),
      h(FindingList, { findings: verdict.findings }),
      h('dl', { class: 'facts' }, [
        fact('Entries', countText(verdict.size)),
        fact('Decisions', decisionsText(verified)),
        fact('Bodies', bodiesText(verdict)),
        fact('From', h(Recorded, { text: utcText(verdict.firstAt) || '-' })),
        fact('To', h(Recorded, { text: utcText(verdict.lastAt) || '-' })),
        fact('Durability', verdict.durability),
        fact('File', [
          h(Recorded, { text: names }),
          `, ${sizeText(bytes)} in ${(elapsedMs / 1000).toFixed(1)} s`,
        ]),
      ]),
      h('dl', { class: 'facts facts-wide' }, [
        fact('Outcomes', outcomesText(verdict)),
        fact('Verifier key', [
          h('code', { class: 'hash' }, h(Recorded, { text: verdict.key || '-' })),
          h(
            'span',
            { class: 'quiet' },
            verdict.keyTrust === 'given' ? ' trusted by you' : ' the ledger’s own word',
          ),
        ]),
        fact('Root', h('code', { class: 'hash' }, h(Recorded, { text: verdict.root || '-' }))),
      ]),
      h('div', { class: 'caveats' }, [
        h('h3', null, 'What this does not show'),
        h(
          'ul',
          null,
          verdict.notes.map((note) => h('li', { key: note }, note)),
        ),
      ]),
    ],
  );
}

function sentence({ ok, assurance, size, keyTrust }: Verdict): string {
  if (!ok) return 'Something in this ledger is not what was sealed, or breaks the rules it was sealed under.';
  const whose = keyTrust === 'given' ? 'under a key you trust' : 'under the key it names itself';
  const far =
    assurance === 'LOCAL'
      ? 'It agrees with itself; nothing kept elsewhere was compared.'
      : 'It continues the checkpoint you kept.';
  return `All ${counted(size, 'entry is', 'entries are')} as they were sealed, in order and signed ${whose}. ${far}`;
}

/** Whether rulings were obeyed is judged only up to where entries were damaged. */
function decisionsText({ verdict, counts }: Verified): string {
  const { total, open } = verdict.decisions;
  const all = counts['all'] ?? 0;
  return all > total
    ? `${countText(all)}, of which ${countText(total)} come before the damage`
    : `${countText(total)}, ${countText(open)} open`;
}

function bodiesText({ bodies }: Verdict): string {
  const parts = [`${countText(bodies.stored)} stored`, `${countText(bodies.checked)} checked`];
  if (bodies.opened > 0) parts.push(`${countText(bodies.opened)} opened`);
  if (bodies.erased > 0) parts.push(`${countText(bodies.erased)} erased`);
  return parts.join(', ');
}

function outcomesText({ decisions }: Verdict): string {
  const seen = Object.entries(decisions.byOutcome).filter(([, count]) => count > 0);
  return seen.length === 0
    ? 'none judged'
    : seen.map(([outcome, count]) => `${countText(count)} ${outcomeText(outcome)}`).join(', ');
}

function fact(name: string, value: ComponentChild): ComponentChild {
  return h('div', { class: 'fact', key: name }, [h('dt', null, name), h('dd', { class: 'num' }, value)]);
}

export function VerdictMark({ ok }: { readonly ok: boolean }): ComponentChild {
  return h(
    'svg',
    { viewBox: '0 0 40 40', width: 40, height: 40, 'aria-hidden': 'true', class: 'verdict-mark' },
    [
      ok
        ? h('circle', { cx: 20, cy: 20, r: 18, fill: 'currentColor' })
        : h('path', { d: 'M13 2h14l11 11v14L27 38H13L2 27V13z', fill: 'currentColor' }),
      h('path', {
        d: ok ? 'M12 20.5l5.5 5.5L28.5 15' : 'M14 14l12 12M26 14L14 26',
        fill: 'none',
        stroke: 'var(--surface)',
        'stroke-width': 3.5,
        'stroke-linecap': 'round',
        'stroke-linejoin': 'round',
      }),
    ],
  );
}
