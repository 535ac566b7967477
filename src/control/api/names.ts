/** How people are named on the control port. */
import { z } from 'zod';

/** Of a person who has a token. */
export const personName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/, 'expected the name of a person');
/** Of a person however they sign in. */
export const anyName = z
  .string()
  .regex(
    /^([A-Za-z0-9][A-Za-z0-9._@-]{0,63}|(oidc|certificate|kubernetes):[\x21-\x7e ]{1,800})$/,
    'expected the name of a person, as whoami says it',
  );
