/** What people write that is sealed as they wrote it. */
import { z } from 'zod';

/** Half of a character is none in UTF-8: another one would be sealed in its place. */
export const writtenText = z
  .string()
  .refine((text) => text.isWellFormed(), 'expected text, and half of a character (a lone surrogate) is none');
