/** Where a file or a directory is. */
import { z } from 'zod';

/** Of what a shell, or another program's configuration, would put something else in the place of. */
const replaced = /^~|\$[{(]/;

/** A path as the system takes it: a directory that is really called ~ would be made, and what is sealed be in it. */
export const path = z
  .string()
  .min(1)
  .refine(
    (text) => !replaced.test(text),
    'expected a path as it is: nothing takes the place of ~ or of a variable',
  )
  .refine(
    (text) => text === text.trim(),
    'expected a path that neither begins nor ends with blanks, as one from a file ends with its line',
  );
