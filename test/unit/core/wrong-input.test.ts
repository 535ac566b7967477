import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { wrongInput } from '../../../src/core/wrong-input.ts';

const schema = z.strictObject({
  limit: z.int().min(1).optional(),
  since: z.iso.datetime().optional(),
  verdict: z.enum(['pass', 'hold']).optional(),
  reason: z.string().min(1).max(3).optional(),
  to: z
    .array(z.object({ id: z.string() }))
    .max(1)
    .optional(),
  seq: z
    .string()
    .refine((text) => /^\d+$/.test(text), 'expected a whole number')
    .optional(),
  decider: z.string(),
});

function said(value: object): string {
  const parsed = schema.safeParse({ decider: 'desk', ...value });
  return parsed.success ? '' : wrongInput(parsed.error);
}

describe('what a schema refused is told in words', () => {
  it.each([
    [{ decider: undefined }, 'decider is missing.'],
    [{ decider: 4711 }, 'decider must be a string.'],
    [{ limit: 0 }, 'limit must be at least 1.'],
    [{ limit: 1.5 }, 'limit must be a whole number.'],
    [{ since: 'yesterday' }, 'since must be a time such as 2026-11-24T18:00:00Z.'],
    [{ verdict: 'foo' }, 'verdict must be one of pass, hold.'],
    [{ reason: '' }, 'reason must have at least 1 character.'],
    [{ reason: 'long' }, 'reason must have at most 3 characters.'],
    [{ to: [{ id: 'a' }, { id: 'b' }] }, 'to must have at most 1 item.'],
    [{ to: [{}] }, 'to[0].id is missing.'],
    [{ seq: 'x' }, 'seq is not accepted: expected a whole number.'],
    [{ colour: 'red' }, 'What was sent has what is not known here: colour.'],
    [{ limit: 0, verdict: 'foo' }, 'limit must be at least 1; verdict must be one of pass, hold.'],
  ])('%j: %s', (value, words) => {
    expect(said(value)).toBe(words);
  });

  it('without what was sent, which may be a secret', () => {
    expect(said({ since: 'hp_secret', verdict: 'hp_secret', limit: 'hp_secret' })).not.toContain('hp_secret');
  });
});
