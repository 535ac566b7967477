/** Where a secret comes from; the secret itself never stands in the configuration file. */
import { z } from 'zod';

export const secret = z
  .strictObject({
    env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable')
      .optional(),
    file: z.string().min(1).optional().describe('Read again when it changes.'),
  })
  .refine(
    ({ env, file }) => (env === undefined) !== (file === undefined),
    'expected either env or file, and never the secret itself',
  );
