/**
 * What a person hands to the page: files are told apart by what is in them, not by their names. Pure but for reading
 * the beginnings of files.
 */

/** What the person knows from elsewhere; '' where nothing was given. */
export interface Given {
  /** Verifier keys, one on each line. */
  readonly trustedKeys: string;
  readonly checkpoint: string;
  readonly highWater: string;
  /** 32 bytes in base64 for each epoch, in any order. Held in memory only, and never written anywhere. */
  readonly kek: string;
}

export const nothingGiven: Given = { trustedKeys: '', checkpoint: '', highWater: '', kek: '' };

export interface Handed {
  /** Files that make up a ledger. */
  readonly ledger: readonly File[];
  /** The text of a proof; '' when there was none. */
  readonly proof: string;
  readonly given: Partial<Given>;
  /** For each file that is none of these: its name, and what to do about it. */
  readonly refused: readonly string[];
}

/** Longer texts are nothing that is given here. */
const textBytesMax = 2_000_000;
const kekForm = /^\s*(?:[A-Za-z0-9+/]{43}=\s*)+$/;
const keyForm = /^[^+\s]{1,255}\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*$/;

export type Kind =
  | 'ledger'
  | 'proof'
  | 'highWater'
  | 'checkpoint'
  | 'trustedKeys'
  | 'kek'
  | 'private'
  | 'leveldb'
  | 'unknown';

/** What a text, or the beginning of a file read as Latin-1, is. */
export function kindOf(text: string): Kind {
  if (text.startsWith('HPJ1')) return 'ledger';
  if (text.startsWith('c2sp.org/tlog-proof@v1\n')) return 'proof';
  if (text.startsWith('holdpoint-high-water-1 ')) return 'highWater';
  if (text.includes('PRIVATE KEY-----')) return 'private';
  const lines = linesOf(text);
  if (lines.length > 0 && lines.every((line) => keyForm.test(line))) return 'trustedKeys';
  if (/^[^\n]+\n[0-9]+\n[A-Za-z0-9+/]+=*\n\n/.test(text)) return 'checkpoint';
  if (kekForm.test(text)) return 'kek';
  if (/^MANIFEST-|^leveldb\./.test(text)) return 'leveldb';
  return 'unknown';
}

/** Sorts files by what they are. */
export async function sortFiles(files: readonly File[]): Promise<Handed> {
  const ledger: Looked[] = [];
  const refused: string[] = [];
  let proof = '';
  let given: Partial<Given> = {};
  for (const looked of await Promise.all(files.map(lookAt))) {
    const { kind, file, text } = looked;
    switch (kind) {
      case 'ledger':
        ledger.push(looked);
        break;
      case 'private':
      case 'leveldb':
      case 'unknown':
      case 'unreadable':
        refused.push(`${file.name}: ${refusals[kind]}`);
        break;
      case 'proof':
        proof = text;
        break;
      case 'kek':
      case 'trustedKeys':
        // There may be several, each in a file of its own.
        given = { ...given, [kind]: [given[kind], text].filter(Boolean).join('\n') };
        break;
      default:
        given = { ...given, [kind]: text };
    }
  }
  // One after the other they would be a ledger that begins twice, which none is.
  const isOne = ledger.filter(({ isBeginning }) => isBeginning).length < 2;
  if (!isOne) refused.push(...ledger.map(({ file }) => `${file.name}: ${refusals.another}`));
  return { ledger: isOne ? ledger.map(({ file }) => file) : [], proof, given, refused };
}

interface Looked {
  readonly file: File;
  readonly kind: Kind | 'unreadable';
  /** Whole, where it is a text that is given; else ''. */
  readonly text: string;
  /** Of a ledger: its first entry is in there. */
  readonly isBeginning: boolean;
}

async function lookAt(file: File): Promise<Looked> {
  try {
    const head = await file.slice(0, headBytes).arrayBuffer();
    const kind = kindOfFile(file, new TextDecoder('latin1').decode(head));
    const isText = kind === 'proof' || kind in nothingGiven;
    return { file, kind, text: isText ? await file.text() : '', isBeginning: beginsLedger(head) };
  } catch (error) {
    // A folder that was dropped, a file that is gone or closed to the reader.
    if (error instanceof DOMException) return { file, kind: 'unreadable', text: '', isBeginning: false };
    throw error;
  }
}

const headBytes = 4096;
const firstFrameAt = 16;
/** Behind the stream's header and the first frame's stands the key of the first record: the entry's number first. */
const firstSeqAt = 24;

function beginsLedger(head: ArrayBuffer): boolean {
  if (head.byteLength < firstSeqAt + 8) return false;
  const view = new DataView(head);
  // Zeros are the room of a segment in which nothing is sealed yet.
  return view.getUint32(firstFrameAt) > 0 && view.getBigUint64(firstSeqAt) === 0n;
}

function kindOfFile(file: File, head: string): Kind {
  // A database's own files begin with nothing of their own.
  if (/^(MANIFEST-\d+|CURRENT|LOCK|LOG(\.old)?|\d+\.(ldb|sst|log))$/.test(file.name)) return 'leveldb';
  const kind = kindOf(head);
  return kind !== 'ledger' && file.size > textBytesMax ? 'unknown' : kind;
}

const refusals: Readonly<Record<'private' | 'leveldb' | 'unknown' | 'unreadable' | 'another', string>> = {
  private: 'a private key. Nobody needs it to verify a ledger; put it back where it is safe.',
  leveldb:
    'a file of the live database, which a page cannot read. Make an export: holdpoint ledger export FILE.',
  unknown:
    'not an export, a proof, a checkpoint, a verifier key or a key-encryption key. An export is made by: holdpoint ledger export FILE.',
  unreadable:
    'it cannot be read. Of a folder choose the files in it; of another file ask whether it is still there, and yours to read.',
  another: 'the beginning of more than one ledger was handed in together. Hand in one ledger at a time.',
};

/** Lines that say something; `#` begins a comment. */
export function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** The 32 bytes of each key-encryption key; none when the text is not such keys. */
export function readKeks(text: string): readonly Uint8Array[] {
  if (!kekForm.test(text)) return [];
  const keys = text.match(/[A-Za-z0-9+/]{43}=/g) ?? [];
  return keys.map((key) => Uint8Array.from(atob(key), (char) => char.charCodeAt(0)));
}
