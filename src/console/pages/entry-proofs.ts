/** The proof of sealed entries, made by the sidecar and checked in this browser. */
import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import type { Entry } from '../answers/decision-data.ts';
import type { Desk } from '../desk/desk.ts';
import { messageOf } from '../desk/desk-state.ts';
import { useLeaving } from '../desk/leaving.ts';
import { countText } from '../words/counts.ts';
import {
  type CheckpointAnswer,
  checkInclusion,
  leafHashOf,
  readCheckpointAnswer,
  readInclusion,
  signedTree,
} from './check.ts';

interface Checked {
  readonly seq: number;
  readonly leafHash: string;
  readonly hashes: readonly string[];
  readonly complaint: string;
}

interface Report {
  readonly checkpoint: CheckpointAnswer;
  readonly entries: readonly Checked[];
}

/** Each entry is hashed here again and led up to the root of one checkpoint. */
async function proofsOf(desk: Desk, entries: readonly Entry[], signal: AbortSignal): Promise<Report> {
  const checkpoint = readCheckpointAnswer(await desk.fetch('/api/v1/ledger/checkpoint', signal));
  const tree = signedTree(checkpoint.note, checkpoint.key);
  const checked: Checked[] = [];
  for (const { seq, source } of entries) {
    const path = `/api/v1/ledger/proofs/inclusion?seq=${seq}&size=${checkpoint.size}`;
    const proof = readInclusion(await desk.fetch(path, signal));
    const complaint = typeof tree === 'string' ? tree : checkInclusion(source, proof, tree);
    checked.push({ seq, leafHash: leafHashOf(source), hashes: proof.hashes, complaint });
  }
  return { checkpoint, entries: checked };
}

export function EntryProofs(props: {
  readonly desk: Desk;
  readonly entries: readonly Entry[];
}): ComponentChild {
  const { desk, entries } = props;
  const [report, setReport] = useState<Report | null>(null);
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const begin = useLeaving();
  function prove(): void {
    setBusy(true);
    setProblem('');
    proofsOf(desk, entries, begin())
      .then(setReport, (error: unknown) => setProblem(messageOf(error)))
      .finally(() => setBusy(false));
  }
  return h('section', { class: 'section', 'aria-labelledby': 'proof-title' }, [
    h('h2', { id: 'proof-title' }, 'Proof'),
    h('p', { class: 'ask' }, [
      h(
        'button',
        { type: 'button', class: 'button', disabled: busy, onClick: prove },
        'Prove it in this browser',
      ),
      h('span', { class: 'quiet' }, ' Hashes the entries again and follows each to the signed checkpoint.'),
    ]),
    problem === '' ? null : h('p', { class: 'problem', role: 'alert' }, problem),
    h('div', { role: 'status' }, report === null ? null : h(ProofReport, { report })),
  ]);
}

function ProofReport({ report }: { readonly report: Report }): ComponentChild {
  const { checkpoint, entries } = report;
  const broken = entries.filter(({ complaint }) => complaint !== '');
  return h('div', { class: 'card' }, [
    h('p', { class: broken.length === 0 ? 'verdict-good' : 'problem' }, [
      h('span', { 'aria-hidden': 'true' }, broken.length === 0 ? '✓ ' : '✗ '),
      broken.length === 0
        ? `Proven: ${entries.length === 1 ? 'the entry is' : `all ${countText(entries.length)} entries are`} in the ledger of ${countText(checkpoint.size)} that ${checkpoint.origin} signs.`
        : 'Not proven.',
    ]),
    h(
      'ol',
      { class: 'proofs' },
      entries.map(({ seq, leafHash, hashes, complaint }) =>
        h('li', { key: seq }, [
          h('details', { class: 'fold' }, [
            h('summary', null, [
              `entry ${seq}: `,
              complaint === '' ? 'proven' : h('span', { class: 'problem' }, complaint),
            ]),
            h('pre', { class: 'raw', tabIndex: 0 }, [
              `leaf hash  ${leafHash}\n`,
              hashes.map((hash, i) => `${`step ${i + 1}`.padEnd(9)}  ${hash}\n`),
              `\n${checkpoint.note}`,
            ]),
          ]),
        ]),
      ),
    ),
    h('p', { class: 'quiet' }, [
      'Under the verifier key ',
      h('code', { class: 'breakable' }, checkpoint.key),
      ', which this sidecar named itself. Compare it with the one you have from elsewhere.',
    ]),
  ]);
}
