/** The part of the configuration file about people who have several names. */
import { z } from 'zod';

const peopleMax = 1_000;
const namesMax = 16;
/** They stand in one entry of the ledger, which has 64 KiB for everything. */
const jsonBytesMax = 48 * 1024;
const name = z
  .string()
  .regex(
    /^(?:[A-Za-z0-9][A-Za-z0-9._@-]{0,63}|(?:oidc|certificate|kubernetes):[\x20-\x7e]{1,1000})$/,
    'expected a name as it is sealed, such as ada or oidc:https://id.example.com#248289761001',
  );

export const peopleSchema = z
  .array(z.array(name).min(2).max(namesMax))
  .max(peopleMax)
  .refine((people) => {
    const names = people.flat();
    return new Set(names).size === names.length;
  }, 'expected each name once: it is one person’s')
  .refine(
    (people) => Buffer.byteLength(JSON.stringify(people)) <= jsonBytesMax,
    `expected ${jsonBytesMax} bytes of names at most: they are sealed in one entry`,
  )
  .default([])
  .describe(
    'Names of the same person, by token, provider, certificate or cluster: one voice in a quorum, and nobody who reviews or approves what they asked for themselves. Sealed at each start, so that a verifier counts the same.',
  );
