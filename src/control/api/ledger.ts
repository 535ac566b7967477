/** The ledger: its checkpoint and its entries. */
import { z } from 'zod';
import { everyRole, integerParameter, jsonAnswer, ledgerReaders, type Operation } from '../operation.ts';
import { entrySchema } from './entry.ts';

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
  roles: everyRole,
  answers: [jsonAnswer('The checkpoint.', checkpointSchema)],
  refusals: [],
};

export const listEntries: Operation = {
  id: 'listEntries',
  tag: 'ledger',
  summary: 'Sealed entries in order',
  description: 'Each entry was hashed again when it was read.',
  roles: ledgerReaders,
  query: entryQuerySchema,
  answers: [jsonAnswer('A page.', entryPageSchema)],
  refusals: ['ledger_damaged'],
};

export const readCheckpoint: Operation = {
  id: 'readCheckpoint',
  tag: 'ledger',
  summary: 'The checkpoint as C2SP tlog-tiles has it',
  description: 'The signed note alone, for tools that are not ours.',
  roles: ledgerReaders,
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
