/** Sealed entries as the API shows them; the stored leaf is their canonical form. */
import { z } from 'zod';
import { entryTypes } from '../../ledger/entry.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);

export const entrySchema = z
  .object({
    v: z.literal(1),
    ledger: z.string(),
    seq: z.int().min(0).describe('Dense; the index of the leaf.'),
    type: z.enum(entryTypes),
    at: z.string(),
    mono: z.int(),
    boot: z.string(),
    prev: hash.describe('Leaf hash of the entry before.'),
    kid: z.string(),
    durability: z.enum(['strict', 'relaxed']),
    parts: z
      .array(z.object({ name: z.string(), size: z.int().min(0), c: hash, e: hash }))
      .describe('Commitments to the bodies, which are stored outside the leaf.'),
    data: z.record(z.string(), z.unknown()).describe('By type; see FORMAT.md of the ledger. Never content.'),
    refs: z.array(z.int().min(0)),
  })
  .meta({ id: 'Entry', description: 'One sealed entry of the ledger.' });
