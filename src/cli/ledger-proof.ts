/** `holdpoint ledger prove` and `verify-proof`: the proof of one entry, and its verdict with no sidecar. */
import { z } from 'zod';
import { canonicalize } from '../ledger/canonical.ts';
import { formatTlogProof } from '../ledger/tlog-proof.ts';
import { type ProofVerdict, verifyTlogProof } from '../ledger/verify/tlog-proof.ts';
import { readFileOrThrow, readTrust } from '../store/trust.ts';
import { type ControlClient, clientOptions, controlClient } from './client.ts';
import { type Command, exitCodes } from './command.ts';
import { entryNumber, noEntry, onlyArgument, readArguments, requiredText } from './options.ts';
import { printJson, printLine, visible, visibleLines } from './print.ts';

const inclusionSchema = z.object({ seq: z.number(), hashes: z.array(z.base64()), note: z.string() });
const leafSchema: z.ZodType<LeafValue> = z.lazy(() =>
  z.union([z.string(), z.int(), z.boolean(), z.array(leafSchema), z.record(z.string(), leafSchema)]),
);
type LeafValue = string | number | boolean | readonly LeafValue[] | { readonly [key: string]: LeafValue };
const entriesSchema = z.object({ items: z.array(leafSchema) });

export const proveCommand: Command = {
  name: 'ledger prove',
  usage: 'SEQ [--bare] [--json]',
  summary: 'the proof that an entry is under the checkpoint, with the entry; --bare leaves the entry out',
  run: async (args, env) => {
    const options = readArguments(args, clientOptions, ['bare', 'json']);
    const seq = entryNumber(options);
    const client = controlClient(options, env);
    const { hashes, note, ...proof } = inclusionSchema.parse(
      await client.get(`/api/v1/ledger/proofs/inclusion?seq=${seq}`),
    );
    // A proof is for every role, the entry for who may read the ledger.
    const leaf = options.flag('bare') ? {} : { leaf: await leafOf(client, seq) };
    const text = formatTlogProof({ seq: proof.seq, hashes, note, ...leaf });
    if (options.flag('json')) printJson({ seq: proof.seq, proof: text });
    else printLine(visibleLines(text).replace(/\n$/, ''));
    return exitCodes.ok;
  },
};

/** Canonical JSON: the same value has the same bytes again. */
async function leafOf(client: ControlClient, seq: string): Promise<Buffer> {
  const page = await client.get(`/api/v1/ledger/entries?from=${seq}&limit=1`);
  const [entry] = entriesSchema.parse(page).items;
  if (entry === undefined) throw noEntry(seq);
  return Buffer.from(canonicalize(entry));
}

export const verifyProofCommand: Command = {
  name: 'ledger verify-proof',
  usage: 'FILE --trust KEY_OR_FILE [--entry FILE] [--json]',
  summary: 'verify the proof of one entry offline; exit 1 names a reason code',
  run: async (args) => {
    const options = readArguments(args, ['trust', 'entry'], ['json']);
    const file = onlyArgument(options, 'proof file');
    const trustedKeys = readTrust(requiredText(options, 'trust'));
    const entry = options.text('entry');
    const verdict = verifyTlogProof(readFileOrThrow(file).toString('utf8'), {
      trustedKeys,
      ...(entry === undefined ? {} : { entry: readEntryFile(entry) }),
    });
    if (options.flag('json')) printJson(verdict);
    else printVerdict(file, verdict);
    return verdict.ok ? exitCodes.ok : exitCodes.finding;
  },
};

/** An entry's bytes, or its JSON in any layout, as `holdpoint ledger entry` prints it. */
function readEntryFile(file: string): Uint8Array {
  const bytes = readFileOrThrow(file);
  try {
    return Buffer.from(canonicalize(leafSchema.parse(JSON.parse(bytes.toString('utf8')))));
  } catch {
    // No JSON: it is taken as it is, and the verdict says that it is not the entry.
    return bytes;
  }
}

function printVerdict(file: string, verdict: ProofVerdict): void {
  const { ok, seq, size, origin, leafHash, findings } = verdict;
  printLine(`${ok ? 'PROVEN' : 'NOT PROVEN'}  ${visible(file)}`);
  printLine(`  entry      ${seq < 0 ? '-' : `${seq} of ${size}`}`);
  printLine(`  origin     ${visible(origin || '-')}`);
  printLine(`  leaf hash  ${leafHash || '-'}`);
  for (const { code, message } of findings) printLine(`FAIL ${code}: ${visible(message)}`);
  if (ok) printLine(visible(verdict.entry));
}
