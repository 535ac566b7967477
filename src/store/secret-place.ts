/** Where a secret is to be found. Pure. */

export interface SecretPlace {
  /** A variable of the sidecar's environment. */
  readonly env?: string | undefined;
  /** A file that holds the secret and nothing else but white space. */
  readonly file?: string | undefined;
}

/** The place in words. What looks like no name is not repeated: somebody may have put the secret itself there. */
export function placeInWords({ env = '', file }: SecretPlace): string {
  if (file !== undefined) return /\/|\.[a-z]{2,5}$/.test(file) ? `the file ${file}` : 'the file named there';
  return /^[A-Z_][A-Z0-9_]*$/.test(env)
    ? `the environment variable ${env}`
    : 'the environment variable named there';
}
