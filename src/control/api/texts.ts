/** What people write that is sealed as they wrote it. */
import { z } from 'zod';
import { saysSomething } from '../../core/visible-text.ts';

/** Half of a character is none in UTF-8: another one would be sealed in its place. */
export const writtenText = z
  .string()
  .refine((text) => text.isWellFormed(), 'expected text, and half of a character (a lone surrogate) is none');

/** Such a text that is asked for: one that nobody can see says nothing. */
export const givenText = writtenText
  .trim()
  .min(1)
  .refine(saysSomething, 'expected words, and there is nothing to see');
