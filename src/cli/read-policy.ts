/** The policy file that a command names. */
import { readFileSync } from 'node:fs';
import { HoldpointError, refusalOf } from '../core/errors.ts';

/** Its text; throws `usage` where it cannot be read. */
export function readPolicy(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new HoldpointError(
      'usage',
      `The policy ${file} cannot be read: ${refusalOf(error)}.`,
      'Name a policy file, such as config/policy.yaml.',
      error,
    );
  }
}
