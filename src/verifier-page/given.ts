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
  /** 32 bytes in base64. Held in memory only, and never written anywhere. */
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
  if (/^[A-Za-z0-9+/]{43}=$/.test(text.trim())) return 'kek';
  if (/^MANIFEST-|^leveldb\./.test(text)) return 'leveldb';
  return 'unknown';
}

/** Sorts files by what they are. */
export async function sortFiles(files: readonly File[]): Promise<Handed> {
  const ledger: File[] = [];
  const refused: string[] = [];
  let proof = '';
  let given: Partial<Given> = {};
  for (const file of files) {
    const kind = await kindOfFile(file);
    switch (kind) {
      case 'ledger':
        ledger.push(file);
        break;
      case 'private':
      case 'leveldb':
      case 'unknown':
        refused.push(`${file.name}: ${refusals[kind]}`);
        break;
      case 'proof':
        proof = await file.text();
        break;
      default:
        given = { ...given, [kind]: await file.text() };
    }
  }
  return { ledger, proof, given, refused };
}

async function kindOfFile(file: File): Promise<Kind> {
  const head = new TextDecoder('latin1').decode(await file.slice(0, 4096).arrayBuffer());
  // A database's own files begin with nothing of their own.
  if (/^(MANIFEST-\d+|CURRENT|LOCK|LOG(\.old)?|\d+\.(ldb|sst|log))$/.test(file.name)) return 'leveldb';
  const kind = kindOf(head);
  return kind !== 'ledger' && file.size > textBytesMax ? 'unknown' : kind;
}

const refusals: Readonly<Record<'private' | 'leveldb' | 'unknown', string>> = {
  private: 'a private key. Nobody needs it to verify a ledger; put it back where it is safe.',
  leveldb:
    'a file of the live database, which a page cannot read. Make an export: holdpoint ledger export FILE.',
  unknown:
    'not an export, a proof, a checkpoint, a verifier key or a key-encryption key. An export is made by: holdpoint ledger export FILE.',
};

/** Lines that say something; `#` begins a comment. */
export function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** The 32 bytes of a key-encryption key; null when the text is not one. */
export function readKek(text: string): Uint8Array | null {
  const trimmed = text.trim();
  if (!/^[A-Za-z0-9+/]{43}=$/.test(trimmed)) return null;
  return Uint8Array.from(atob(trimmed), (char) => char.charCodeAt(0));
}
