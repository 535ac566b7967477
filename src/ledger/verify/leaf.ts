/**
 * A leaf's bytes as a typed entry: exactly the thirteen fields of the format, each of its form. What an
 * entry's type says in `data` is read in entry.ts. Portable; imports only its own folder.
 */
import { isJsonObject, type Json, type JsonObject, parseCanonical } from './canonical.ts';
import { readEntry } from './entry.ts';
import { hex64, isCount, isList, isMatching, type Part, partsMax, utcForm } from './fields.ts';
import type { Refusal } from './reasons.ts';
import { type Leaf, scanLeaf } from './scan-leaf.ts';

export type { Leaf };

const fields = 'at,boot,data,durability,kid,ledger,mono,parts,prev,refs,seq,type,v';
const partFields = 'c,e,name,size';
const hex8 = /^[0-9a-f]{8}$/;
const hex16 = /^[0-9a-f]{16}$/;
const hex32 = /^[0-9a-f]{32}$/;

/** Reads one leaf; a refusal names what is wrong with it. */
export function readLeaf(bytes: Uint8Array): Leaf | Refusal {
  return scanLeaf(bytes) ?? readLeafByField(bytes);
}

/** The reading that has a reason for everything it refuses; `scanLeaf` knows only leaves that have none. */
export function readLeafByField(bytes: Uint8Array): Leaf | Refusal {
  const reading = parseCanonical(bytes);
  if (reading.kind === 'not_canonical') return { code: 'leaf_not_canonical', message: reading.reason };
  if (reading.kind === 'malformed') return malformed(reading.reason);
  const { value } = reading;
  if (!isJsonObject(value)) return malformed('it is not an object');
  const version = value['v'];
  if (version !== 1 && typeof version === 'number') {
    return { code: 'version_unsupported', message: `it is of format version ${version}` };
  }
  if (version !== 1) return malformed('v is not 1');
  if (Object.keys(value).join() !== fields) return malformed('it has not exactly the fields of the format');
  return readFields(value);
}

function readFields(value: JsonObject): Leaf | Refusal {
  const { at, boot, data, durability, kid, ledger, mono, prev, refs, seq, type } = value;
  if (!isMatching(at, utcForm)) return malformed('at is not UTC with milliseconds');
  if (!isMatching(boot, hex16)) return malformed('boot is not 16 hex');
  if (!isJsonObject(data)) return malformed('data is not an object');
  if (durability !== 'strict' && durability !== 'relaxed') return malformed('durability is neither');
  if (!isMatching(kid, hex8)) return malformed('kid is not 8 hex');
  if (!isMatching(ledger, hex32)) return malformed('ledger is not 32 hex');
  if (!isCount(mono)) return malformed('mono is not a count of microseconds');
  if (!isMatching(prev, hex64)) return malformed('prev is not 64 hex');
  if (!isCount(seq)) return malformed('seq is not a count');
  if (typeof type !== 'string') return malformed('type is not a string');
  if (!isList(refs) || !refs.every((ref) => isCount(ref) && ref < seq)) {
    return malformed('refs is not a list of earlier seqs');
  }
  const parts = readParts(value['parts']);
  if (parts === undefined) return malformed('parts is not a list of {c, e, name, size}, each name once');
  const entry = readEntry(type, data, parts, seq);
  if ('code' in entry) return entry;
  return { at, boot, durability, kid, ledger, mono, parts, prev, seq, type, entry };
}

function readParts(value: Json | undefined): readonly Part[] | undefined {
  if (!isList(value) || value.length > partsMax) return undefined;
  const parts: Part[] = [];
  for (const part of value) {
    if (!isJsonObject(part) || Object.keys(part).join() !== partFields) return undefined;
    const { c, e, name, size } = part;
    if (!isMatching(c, hex64) || !isMatching(e, hex64) || !isCount(size)) return undefined;
    // Two parts of one name would leave open which of them a digest is about.
    if (!isMatching(name, /^[a-z]{1,16}$/) || parts.some((earlier) => earlier.name === name))
      return undefined;
    parts.push({ c, e, name, size });
  }
  return parts;
}

function malformed(message: string): Refusal {
  return { code: 'leaf_malformed', message };
}
