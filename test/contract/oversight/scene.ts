/** Reviewers who rule together: what they see of the queue, and what they are told. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { z } from 'zod';
import { writeReviewerKey } from '../../../src/cli/reviewer-key.ts';
import { verifyDirectory } from '../../../src/store/verify-directory.ts';
import { eventually, type House } from '../support/sidecar.ts';

const lineSchema = z.looseObject({
  id: z.string(),
  decisionId: z.string(),
  digest: z.string(),
  contentDigest: z.string(),
  assignee: z.string(),
  commentCount: z.number(),
});
export type Line = z.output<typeof lineSchema>;

/** The holds that wait. */
export const linesNow = async (house: House): Promise<readonly Line[]> =>
  z.object({ items: z.array(lineSchema) }).parse((await house.call('/api/v1/holds?state=pending')).json)
    .items;
export const show = async (house: House, id: string, as: 'reviewer' | 'viewer' = 'reviewer') =>
  z
    .looseObject({ comments: z.array(z.unknown()), assignments: z.array(z.unknown()), review: z.unknown() })
    .parse((await house.call(`/api/v1/holds/${id}`, { as })).json);
/** Its status, with the code of what was refused. */
export const codeOf = ({ status, json }: { status: number; json: unknown }) =>
  `${status} ${z.looseObject({ code: z.string().default('') }).parse(json).code}`.trim();

/** Events from now on, until `done`. */
export async function listen(house: House, as: 'viewer' | 'reviewer' = 'viewer') {
  const stop = new AbortController();
  const response = await fetch(`${house.sidecar.controlUrl}/api/v1/events`, {
    headers: { authorization: `Bearer ${house.tokens[as]}` },
    signal: stop.signal,
  });
  let text = '';
  const chunks = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const reading = (async () => {
    for (;;) {
      const next = await chunks?.read();
      if (next === undefined || next.done) return;
      text += next.value;
    }
  })().catch(() => undefined); // Ended by `done`.
  return {
    heard: (event: RegExp) => eventually(async () => event.exec(text)),
    done: async () => {
      stop.abort();
      await reading;
    },
  };
}

export async function deny(house: House, line: Line, caller: Promise<Response>): Promise<void> {
  const json = { verdict: 'deny', reason: 'Enough.', digest: line.digest };
  expect((await house.call(`/api/v1/holds/${line.id}/rulings`, { as: 'reviewer', json })).status).toBe(201);
  await caller;
}

/** Enrols a key of the reviewer's; the file that it is in. */
export async function enrolReviewer(house: House): Promise<string> {
  const file = join(house.directory, 'reviewer.pem');
  const key = writeReviewerKey(file);
  const possession = key.possession(`holdpoint/${house.sidecar.ledger.id}`, 'reviewer-1');
  const enrolment = { owner: 'reviewer-1', key: key.publicKey, possession, reason: 'first key' };
  expect(codeOf(await house.call('/api/v1/reviewer-keys', { json: enrolment }))).toBe('201');
  return file;
}

/** Stops the house; all that was done in it verifies offline, with its bodies opened. */
export async function closeVerified(house: House): Promise<void> {
  await house.sidecar.stop('test');
  const verdict = await verifyDirectory(house.dataDir, {});
  await house.close();
  expect(verdict.findings).toEqual([]);
  expect(verdict.bodies.opened).toBe(verdict.bodies.stored);
}
