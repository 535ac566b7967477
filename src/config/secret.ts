/** Where a secret comes from; the secret itself never stands in the configuration file. */
import { z } from 'zod';
import { path } from './place.ts';

/** Of what is pasted in a path's place: a key in PEM has lines, others end in base64's padding or are addresses. */
const content = /\p{Cc}|=$|:\/\//u;

/** The path of a file that holds a secret. It is named where the file cannot be read, so that it must be no secret itself. */
export const secretFile = path.refine(
  (text) => !content.test(text),
  'expected the path of a file, and never what is in it',
);

export const secret = z
  .strictObject({
    env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable')
      .optional(),
    file: secretFile.optional().describe('Read again when it changes.'),
  })
  .refine(
    ({ env, file }) => (env === undefined) !== (file === undefined),
    'expected either env or file, and never the secret itself',
  );
