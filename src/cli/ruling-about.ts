/** A hold as rulings name it, and what a signature binds one to. */
import { z } from 'zod';
import type { ControlClient } from './client.ts';
import { summarySchema } from './hold-answers.ts';
import type { RulingAbout } from './reviewer-key.ts';

const signedFieldsSchema = summarySchema.extend({
  rules: z.array(z.object({ id: z.string() })),
  policy: z.object({ version: z.string(), digest: z.string() }),
});

/** What a signature binds the ruling to: the hold as it is, and the digest as it was shown. */
export async function rulingAbout(
  client: ControlClient,
  path: string,
  digest: string,
  verdict: string,
): Promise<RulingAbout> {
  const { name: by } = z.object({ name: z.string() }).parse(await client.get('/api/v1/whoami'));
  const hold = signedFieldsSchema.parse(await client.get(path));
  return {
    ...{ by, verdict, digest, decision: hold.decisionId, hold: hold.id },
    policy: hold.policy.digest,
    policyVersion: hold.policy.version,
    rules: hold.rules.map(({ id }) => id),
  };
}

export function pathOf(id: string): string {
  return `/api/v1/holds/${encodeURIComponent(id)}`;
}

/** What to do where a ruling got no answer. */
export function whetherRuled(ids: readonly string[]): string {
  const shown = ids.map((id) => `holdpoint holds show ${id}`).join('; ');
  return `See whether it is sealed: ${shown}. While it waits, rule again: no ruling counts twice.`;
}
