/**
 * A witness as an anchor: hands it each checkpoint with the proof from the last one it saw, c2sp.org/tlog-witness,
 * and counts its cosignature only once it was checked against the key from the configuration.
 */
import type { Egress } from '../core/egress.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { cosignatureOf } from '../ledger/verify/cosignature.ts';
import { parseCheckpoint, type VerifierKey } from '../ledger/verify/note.ts';
import { isRefusal } from '../ledger/verify/reasons.ts';
import { type Anchor, anchorContradicts, anchorFailed, type Checkpoint, type Receipt } from './anchor.ts';
import { isCosignature } from './cosign.ts';
import { type AnchorHead, ask } from './http.ts';
import { encodeAddCheckpoint } from './witness-request.ts';

export interface WitnessClientOptions {
  readonly name: string;
  /** The submission prefix. */
  readonly url: string;
  readonly key: VerifierKey;
  readonly tree: Pick<Ledger['tree'], 'consistency'>;
  readonly egress: Egress;
}

/** Signature lines of one witness's keys; far more than are made. */
const answerBytesMax = 64 * 1024;

export function openWitnessAnchor({ name, url, key, tree, egress }: WitnessClientOptions): Anchor {
  const address = new URL(`${url.replace(/\/+$/, '')}/add-checkpoint`);

  async function submit(checkpoint: Checkpoint, from: number, signal: AbortSignal): Promise<AnchorHead> {
    // From nothing, and to the same tree, there is nothing to prove.
    const isProved = from > 0 && from < checkpoint.size;
    const proof = isProved ? (await tree.consistency(from, checkpoint.size)).hashes : [];
    const body = encodeAddCheckpoint({ oldSize: from, proof, note: checkpoint.note });
    const headers = { 'content-type': 'text/plain; charset=utf-8' };
    return ask({ method: 'POST', url: address, headers, body }, answerBytesMax, signal, egress);
  }

  return {
    name,
    kind: 'witness',
    send: async (checkpoint, from, signal) => {
      let answer = await submit(checkpoint, from, signal);
      const remembered = sizeIn(answer);
      if (remembered !== null && remembered > checkpoint.size) {
        throw anchorContradicts(
          `${name} remembers ${remembered} entries, and the ledger has ${checkpoint.size}.`,
        );
      }
      // It remembers another size than we do, such as after we lost ours: asked again from there, once.
      if (remembered !== null) answer = await submit(checkpoint, remembered, signal);
      // Where it remembers as many, nothing but another root is in conflict: by earlier versions of the specification.
      const isOtherRoot = answer.status === 409 && (remembered ?? from) === checkpoint.size;
      if (isOtherRoot || answer.status === 422)
        throw anchorContradicts(
          `${name} remembers another history than that of ${checkpoint.size} entries here.`,
        );
      return receiptOf(name, key, checkpoint, answer);
    },
  };
}

/** The size a witness says it has; null where it says something else. */
function sizeIn({ status, type, body }: AnchorHead): number | null {
  if (status !== 409 || type !== 'text/x.tlog.size') return null;
  const digits = /^(0|[1-9][0-9]{0,15})\n$/.exec(body.toString('latin1'))?.[1];
  const size = Number(digits);
  return digits !== undefined && Number.isSafeInteger(size) ? size : null;
}

function receiptOf(name: string, key: VerifierKey, checkpoint: Checkpoint, answer: AnchorHead): Receipt {
  const { status, body } = answer;
  if (status === 404)
    throw anchorFailed(`${name} does not know ${checkpoint.origin}: it has to add its key.`);
  if (status === 403) throw anchorFailed(`${name} has another key for ${checkpoint.origin}.`);
  if (status !== 200) throw anchorFailed(`${name} answered with ${status}.`);
  // The specification's own way: the answer's lines are the end of the note that was handed in.
  const cosigned = Buffer.concat([checkpoint.note, body]);
  const note = parseCheckpoint(cosigned);
  if (isRefusal(note)) throw anchorFailed(`${name} answered with what is no signature line.`);
  const cosignature = cosignatureOf(note, key);
  if (cosignature === undefined) throw anchorFailed(`${name} cosigned under no key that was configured.`);
  if (!isCosignature(note.text, cosignature, key))
    throw anchorFailed(`${name} answered with a cosignature that is none of this checkpoint.`);
  const packed = Buffer.concat([Buffer.from(cosignature.keyHash, 'hex'), cosignature.signature]);
  const line = `\u2014 ${cosignature.name} ${packed.toString('base64')}\n`;
  // Only what was checked is kept, and never what else the answer may hold.
  const bytes = Buffer.concat([checkpoint.note, Buffer.from(line)]);
  return { text: line, files: [{ ending: 'checkpoint', bytes }] };
}
