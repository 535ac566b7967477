/** The verdict on the proof of one entry. */
import { type ComponentChild, h } from 'preact';
import { Recorded } from '../console/drawn/recorded.ts';
import { laidOut } from '../console/words/json-tree.ts';
import type { ProofVerdict } from '../ledger/verify/tlog-proof.ts';
import { FindingList } from './finding-list.ts';
import { VerdictMark } from './verdict-report.ts';
import { countText } from './words.ts';

export function ProofReport({ verdict }: { readonly verdict: ProofVerdict }): ComponentChild {
  const { ok, seq, size, origin, leafHash, entry, findings } = verdict;
  return h('section', { class: `verdict verdict-${ok ? 'good' : 'bad'}`, 'aria-labelledby': 'proof' }, [
    h('div', { class: 'verdict-head' }, [
      h(VerdictMark, { ok }),
      h('div', null, [
        h('h2', { id: 'proof' }, ok ? 'Proven' : 'Not proven'),
        h(
          'p',
          null,
          ok
            ? `Entry ${countText(seq)} is one of the ${countText(size)} under a checkpoint signed by a key you trust.`
            : 'Nothing here shows that this entry is in the ledger.',
        ),
      ]),
    ]),
    h(FindingList, { findings }),
    h('dl', { class: 'facts facts-wide' }, [
      h('div', { class: 'fact' }, [
        h('dt', null, 'Origin'),
        h('dd', null, h('code', { class: 'hash' }, h(Recorded, { text: origin || '-' }))),
      ]),
      h('div', { class: 'fact' }, [
        h('dt', null, 'Leaf hash'),
        h('dd', null, h('code', { class: 'hash' }, leafHash || '-')),
      ]),
    ]),
    entry !== '' && h('pre', { class: 'source' }, h(Recorded, { text: laidOut(entry) })),
  ]);
}
