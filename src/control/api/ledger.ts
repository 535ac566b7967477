/** The ledger: its checkpoint, its entries, and proofs about them. */
import { z } from 'zod';
import { allowed, countParameter, integerParameter, jsonAnswer, type Operation } from '../operation.ts';
import { entrySchema } from './entry.ts';
import { besideDamage, unreadableField } from './unreadable.ts';

const pageMax = 1000;

const checkpointSchema = z
  .object({
    origin: z.string(),
    size: z.int().min(0).describe('Entries covered.'),
    note: z.string().describe('The C2SP signed note; keep it and verify against it later.'),
    key: z.string().describe("The ledger's verifier key, `<origin>+<8 hex>+<base64>`."),
  })
  .meta({ id: 'Checkpoint', description: 'The signed checkpoint over everything that is durable.' });

const entryPageSchema = z
  .object({
    items: z.array(entrySchema),
    next: z.int().nullable().describe('Pass as `from` for what follows; null at the end.'),
  })
  .meta({ id: 'EntryPage', description: 'Sealed entries in order.' });

export const entryQuerySchema = z.strictObject({
  from: integerParameter({ min: 0, max: Number.MAX_SAFE_INTEGER, fallback: 0 }).describe('First seq.'),
  limit: integerParameter({ min: 1, max: pageMax, fallback: 100 }).describe('The most that is answered.'),
});

export const showCheckpoint: Operation = {
  id: 'showCheckpoint',
  tag: 'ledger',
  summary: 'The signed checkpoint',
  description: 'Covers every entry that is durable now.',
  ...allowed('see'),
  answers: [jsonAnswer('The checkpoint.', checkpointSchema)],
  refusals: [],
};

export const listEntries: Operation = {
  id: 'listEntries',
  tag: 'ledger',
  summary: 'Sealed entries in order',
  description: 'Each entry was hashed again when it was read.',
  ...allowed('read_ledger'),
  query: entryQuerySchema,
  answers: [jsonAnswer('A page.', entryPageSchema)],
  refusals: ['ledger_damaged'],
};

export const readCheckpoint: Operation = {
  id: 'readCheckpoint',
  tag: 'ledger',
  summary: 'The checkpoint as C2SP tlog-tiles has it',
  description: 'The signed note alone, for tools that are not ours.',
  ...allowed('read_ledger'),
  answers: [
    {
      status: 200,
      description: 'The signed note.',
      contentType: 'text/plain; charset=utf-8',
      schema: z.string(),
    },
  ],
  refusals: [],
};

const hashSchema = z.string().describe('SHA-256 in base64.');

export const inclusionSchema = z
  .object({
    seq: z.int().min(0),
    size: z.int().min(1).describe('Entries in the tree that the proof is about.'),
    leafHash: hashSchema,
    root: hashSchema,
    hashes: z.array(hashSchema).describe("From the leaf's sibling upwards, RFC 6962 section 2.1.1."),
    note: z
      .string()
      .nullable()
      .describe('The signed checkpoint of exactly this size; null where no commit ended at it.'),
  })
  .meta({ id: 'InclusionProof', description: 'Shows that an entry is in the tree of a checkpoint.' });

const consistencySchema = z
  .object({
    from: z.int().min(1),
    to: z.int().min(1),
    fromRoot: hashSchema,
    toRoot: hashSchema,
    hashes: z.array(hashSchema).describe('RFC 6962 section 2.1.2.'),
  })
  .meta({ id: 'ConsistencyProof', description: 'Shows that a tree is the beginning of a later one.' });

export const inclusionQuerySchema = z.strictObject({
  seq: countParameter(0).describe('The entry.'),
  size: countParameter(1).optional().describe('Entries in the tree; all that are durable when absent.'),
});

export const consistencyQuerySchema = z.strictObject({
  from: countParameter(1).describe('Entries in the earlier tree.'),
  to: countParameter(1).optional().describe('Entries in the later tree; all that are durable when absent.'),
});

export const proveInclusion: Operation = {
  id: 'proveInclusion',
  tag: 'ledger',
  summary: 'Proof that an entry is in the ledger',
  description:
    'RFC 6962. The hashes lead from the leaf hash to the root that the checkpoint signs. Only what is durable is proven.',
  ...allowed('see'),
  query: inclusionQuerySchema,
  answers: [jsonAnswer('The proof.', inclusionSchema)],
  refusals: ['overloaded', 'ledger_damaged'],
};

export const proveConsistency: Operation = {
  id: 'proveConsistency',
  tag: 'ledger',
  summary: 'Proof that nothing sealed earlier has changed',
  description: 'RFC 6962. Shows that the tree of `from` entries is the beginning of that of `to` entries.',
  ...allowed('see'),
  query: consistencyQuerySchema,
  answers: [jsonAnswer('The proof.', consistencySchema)],
  refusals: ['overloaded', 'ledger_damaged'],
};

const anchorsSchema = z
  .object({
    items: z.array(entrySchema),
    unreadable: unreadableField.describe('Damaged entries among those looked at, 100 at most.'),
    unreadableEntries: z.int().min(0).describe('How many they are, those beyond 100 among them.'),
  })
  .meta({ id: 'Anchors', description: 'The latest `anchor` entries, newest first.' });

export const listAnchors: Operation = {
  id: 'listAnchors',
  tag: 'ledger',
  summary: 'Who outside took note of checkpoints lately',
  description: `Looked for among the newest entries; an anchor that was silent for long may not be among them. ${besideDamage}`,
  ...allowed('see'),
  answers: [jsonAnswer('The entries.', anchorsSchema)],
  refusals: [],
};

const octets = {
  status: 200,
  contentType: 'application/octet-stream',
  schema: z.string().describe('Bytes.'),
};

export const readTile: Operation = {
  id: 'readTile',
  tag: 'ledger',
  summary: 'A tile of the tree as C2SP tlog-tiles has it',
  description:
    '`n` is written in groups of three digits, all but the last with an x before them and a slash after them, and for a tile of less than 256 hashes `.p/<width>` follows: `/tile/1/x001/067.p/12`.',
  ...allowed('read_ledger'),
  answers: [{ ...octets, description: 'Hashes of 32 bytes.' }],
  refusals: ['not_found', 'overloaded', 'ledger_damaged'],
};

export const readEntryBundle: Operation = {
  id: 'readEntryBundle',
  tag: 'ledger',
  summary: 'Entries as C2SP tlog-tiles bundles them',
  description: '`n` is written as for tiles. Each entry is behind its length in two bytes, big-endian.',
  ...allowed('read_ledger'),
  answers: [{ ...octets, description: 'Up to 256 entries.' }],
  refusals: ['not_found', 'overloaded', 'ledger_damaged'],
};
