/**
 * The memory of others: witnesses whose keys an auditor has from elsewhere, and append-only files of anchored
 * checkpoints. What an attacker who has the ledger, its key and its high-water mark cannot change.
 *
 *     line of an anchor file = "holdpoint-anchor-1 " || UTC time || " " || base64 of the note || "\n"
 *
 * Portable; imports only its own folder.
 */
import { checkCosignature, cosignatureOf, parseWitnessKey } from './cosignature.ts';
import { ascii, equalBytes, fromBase64, fromHex, toBase64, toHex } from './encoding.ts';
import type { AnchorEntry } from './entry.ts';
import { keysAt } from './keys.ts';
import {
  type Checkpoint,
  checkSignature,
  parseCheckpoint,
  readSignatureLine,
  type VerifierKey,
} from './note.ts';
import type { KeySpan, Pass } from './pass.ts';
import { isRefusal, type Refusal } from './reasons.ts';

export interface OutsideTexts {
  /** Keys of witnesses, type 0x04; each of them must have cosigned this ledger. */
  readonly witnesses?: readonly string[];
  /** Notes that may carry cosignatures, from beside the ledger or from a witness. */
  readonly cosigned?: readonly string[];
  /** Append-only files of anchored checkpoints, kept where the ledger's machine cannot change them. */
  readonly anchors?: readonly string[];
}

export interface Outside {
  readonly witnesses: readonly VerifierKey[];
  readonly cosigned: readonly Checkpoint[];
  readonly files: readonly (readonly Checkpoint[])[];
  /** Lines of anchor files that are none, such as one that a crash cut off. */
  readonly unreadableLines: number;
  readonly sizes: readonly number[];
  readonly refusals: readonly Refusal[];
}

/** What the memory of others covers. */
export interface Covered {
  /** The most entries that an anchor file remembers as they are; 0 for none. */
  readonly anchoredSize: number;
  readonly witnesses: readonly CoveredByWitness[];
}

export interface CoveredByWitness {
  readonly name: string;
  /** The first so many entries. */
  readonly size: number;
  /** When it cosigned them, UTC, by its own clock. */
  readonly at: string;
}

const anchorLine = /^holdpoint-anchor-1 \S{1,40} ([A-Za-z0-9+/]+=*)$/;
/** A minute apart, that is more than a year and a half. */
export const anchorLinesMax = 1_000_000;
/** Of one file, lines under a key of the ledger that it did not sign; checking one takes 10 ms. */
export const anchorForgeriesMax = 100;

export function readOutside(texts: OutsideTexts): Outside {
  const refusals: Refusal[] = [];
  const witnesses = (texts.witnesses ?? []).flatMap((text) => {
    const key = parseWitnessKey(text);
    if (!isRefusal(key)) return [key];
    refusals.push({ code: key.code, message: `the key of a witness cannot be read: ${key.message}` });
    return [];
  });
  const cosigned = (texts.cosigned ?? []).flatMap((text) => {
    const note = parseCheckpoint(ascii.encode(text));
    if (!isRefusal(note)) return [note];
    const message = `a checkpoint kept for its cosignatures: ${note.message}`;
    refusals.push({ code: 'anchor_malformed', message });
    return [];
  });
  let unreadableLines = 0;
  const files = (texts.anchors ?? []).map((text) => {
    const lines = text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    if (lines.length > anchorLinesMax) {
      refusals.push({ code: 'anchor_malformed', message: `an anchor file has over ${anchorLinesMax} lines` });
      return [];
    }
    const notes = lines.flatMap((line) => readAnchorLine(line) ?? []);
    unreadableLines += lines.length - notes.length;
    return notes.sort((a, b) => b.size - a.size);
  });
  const sizes = [...cosigned, ...files.flat()].map(({ size }) => size);
  return { witnesses, cosigned, files, unreadableLines, sizes, refusals };
}

function readAnchorLine(line: string): Checkpoint | undefined {
  const bytes = fromBase64(anchorLine.exec(line)?.[1] ?? '-');
  const note = bytes === undefined ? undefined : parseCheckpoint(bytes);
  return note === undefined || isRefusal(note) ? undefined : note;
}

/** Compares the finished pass with what others remember; what contradicts it is a finding. */
export function checkOutside(pass: Pass, outside: Outside): Covered {
  const sizes = outside.files.map((notes) => checkAnchorFile(pass, notes));
  const covered = outside.witnesses.map((witness) => ({ witness, by: checkWitness(pass, outside, witness) }));
  // Two names for one key are one witness.
  const distinct = new Map(
    covered.flatMap(({ witness, by }) => (by === undefined ? [] : [[toHex(witness.publicKey), by] as const])),
  );
  return { anchoredSize: Math.max(0, ...sizes), witnesses: [...distinct.values()] };
}

/** Keys that the ledger was under at any time, or that somebody trusts for it. */
function knownKeys({ keys, trusted = [] }: Pass): readonly VerifierKey[] {
  return [...keys.map(({ key }) => key), ...trusted];
}

/** Keys whose word, in a file that others may append to, counts for the first `size` entries. */
function vouchersAt(pass: Pass, size: number): readonly VerifierKey[] {
  if (pass.keys.length === 0) return pass.trusted ?? [];
  const inUse = keysAt(pass, size);
  const isRevoked = ({ revoked }: KeySpan): boolean => revoked !== undefined && size > revoked.size;
  return pass.keys.filter((span) => inUse.includes(span.key) && !isRevoked(span)).map(({ key }) => key);
}

/** Lines of anchor files about this ledger, under keys that it does not have: nobody can say whose they are. */
export function countStrangeLines(pass: Pass, { files }: Outside): number {
  const known = new Set(knownKeys(pass).map(({ keyHash }) => keyHash));
  const isStrange = ({ origin, signatures }: Checkpoint): boolean =>
    origin === `holdpoint/${pass.ledger}` && !signatures.some(({ keyHash }) => known.has(keyHash));
  return files.reduce((sum, notes) => sum + notes.filter(isStrange).length, 0);
}

/** How many entries the file remembers as they are in the ledger. Its notes come longest first. */
function checkAnchorFile(pass: Pass, notes: readonly Checkpoint[]): number {
  const { findings } = pass;
  const known = knownKeys(pass);
  const own = notes.filter(({ origin }) => origin === `holdpoint/${pass.ledger}`);
  let anchoredSize = 0;
  let contradicted = false;
  let forgeries = 0;
  for (const note of own) {
    const found = pass.watched.get(note.size);
    const isPast = note.size > pass.nextSeq;
    const agrees = !isPast && found !== undefined && equalBytes(found, note.root);
    if ((agrees ? anchoredSize > 0 : contradicted) || (!isPast && found === undefined)) continue;
    // Whoever may append to the file may append anything: only what a key of the ledger signed is memory. Any of them
    // contradicts, whenever its time was: who has a former key could otherwise rotate away from what it signed.
    const refusal = checkSignature(note, agrees ? vouchersAt(pass, note.size) : known);
    if (refusal !== undefined && refusal.code !== 'key_unknown') forgeries += 1;
    if (forgeries > anchorForgeriesMax) {
      const message = `an anchor file has over ${anchorForgeriesMax} lines that are signed by none of the keys they name; no more of it was looked at`;
      findings.add('anchor_malformed', -1, message);
      return anchoredSize;
    }
    if (refusal !== undefined) continue;
    if (agrees) {
      anchoredSize = note.size;
    } else if (!contradicted) {
      contradicted = true;
      const code = isPast ? 'truncated_by_anchor' : 'anchored_other_history';
      const what = isPast ? `the ledger ends at ${pass.nextSeq}` : 'the ledger has another root there';
      const message = `an anchor file remembers ${note.size} entries; ${what}`;
      findings.add(code, isPast ? pass.nextSeq : note.size - 1, message);
    }
  }
  if (anchoredSize === 0 && !contradicted) {
    findings.add('anchor_missing', -1, 'an anchor file has no line that this ledger’s key signed');
  }
  return anchoredSize;
}

/** The longest part of the ledger that the witness cosigned; undefined where it is none. */
function checkWitness(pass: Pass, outside: Outside, witness: VerifierKey): CoveredByWitness | undefined {
  const { findings } = pass;
  const origin = `holdpoint/${pass.ledger}`;
  const kept = outside.cosigned.map((note) => ({ note, found: pass.watched.get(note.size) }));
  // Compared when the entry of the anchor came: by now that end of a block may be one of those that are forgotten.
  const sealed = [...pass.receipts.values()]
    .flatMap((entry) => noteOf(origin, entry) ?? [])
    .map((note) => ({ note, found: note.root }));
  let longest: CoveredByWitness | undefined;
  let contradicted = false;
  for (const { note, found } of [...kept, ...sealed]) {
    const cosignature = note.origin === origin ? cosignatureOf(note, witness) : undefined;
    if (cosignature === undefined) continue;
    const seconds = checkCosignature(note.text, cosignature, witness);
    if (typeof seconds !== 'number') {
      findings.add(seconds.code, -1, `the cosignature of ${witness.origin}: ${seconds.message}`);
      continue;
    }
    const at = new Date(Math.min(seconds * 1000, 8.64e15)).toISOString();
    const where = `${witness.origin} cosigned ${note.size} entries at ${at}`;
    if (note.size > pass.nextSeq) {
      const message = `${where}; the ledger ends at ${pass.nextSeq}`;
      if (!contradicted) findings.add('truncated_by_witness', pass.nextSeq, message);
      contradicted = true;
    } else if (found !== undefined && !equalBytes(found, note.root)) {
      const message = `${where}; the ledger has another root there`;
      if (!contradicted) findings.add('witnessed_other_history', note.size - 1, message);
      contradicted = true;
    } else if (found !== undefined && note.size >= (longest?.size ?? 1)) {
      // The tree of no entries is the beginning of every history: who cosigned it vouches for none.
      longest = { name: witness.origin, size: note.size, at };
    }
  }
  if (longest === undefined && !contradicted) {
    findings.add('witness_missing', -1, `no cosignature of ${witness.origin} covers this ledger`);
  }
  return longest;
}

/** The cosigned checkpoint that an anchor entry stands for; undefined when it is none. */
function noteOf(origin: string, { kind, size, root, receipt }: AnchorEntry): Checkpoint | undefined {
  const rootBytes = fromHex(root);
  if (kind !== 'witness' || rootBytes === undefined) return undefined;
  const signatures = receipt.split('\n').flatMap((line) => readSignatureLine(line) ?? []);
  const text = ascii.encode(`${origin}\n${size}\n${toBase64(rootBytes)}\n`);
  return { text, origin, size, root: rootBytes, signatures };
}
