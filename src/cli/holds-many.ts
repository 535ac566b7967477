/** `holdpoint holds release ID ID …`: one ruling on many holds, where all of them hold the same bytes. */
import { z } from 'zod';
import { HoldpointError } from '../core/errors.ts';
import type { ControlClient } from './client.ts';
import { type ExitCode, exitCodes } from './command.ts';
import { summarySchema } from './hold-answers.ts';
import { printJson, printLine, visible } from './print.ts';
import type { ReviewerKeyFile } from './reviewer-key.ts';
import { pathOf, rulingAbout, whetherRuled } from './ruling-about.ts';

const pageSchema = z.object({ items: z.array(summarySchema) });
const ruledSchema = z.object({
  ruled: z.number(),
  refused: z.number(),
  items: z.array(
    z.object({
      id: z.string(),
      hold: summarySchema.nullable(),
      refusal: z.object({ code: z.string(), detail: z.string(), next: z.string() }).nullable(),
    }),
  ),
});

export interface ManyOrder {
  readonly verdict: 'release' | 'deny';
  readonly reason: string;
  readonly ids: readonly string[];
  readonly key: ReviewerKeyFile | null;
  readonly json: boolean;
}

/** Rules on each, or on none where they do not hold the same. Exits 1 where one of them was refused. */
export async function ruleOnMany(client: ControlClient, order: ManyOrder): Promise<ExitCode> {
  const { verdict, reason, ids, key } = order;
  const holds = await Promise.all([...new Set(ids)].map((id) => heldNow(client, id)));
  const contentDigest = sameContent(holds);
  const body =
    key === null
      ? { contentDigest, verdict, reason, holds: holds.map(({ id }) => id) }
      : { contentDigest, holds: await signedRulings(client, holds, key, { verdict, reason }) };
  const answer = await client.post('/api/v1/rulings', body, whetherRuled(ids));
  const { refused, items } = ruledSchema.parse(answer);
  if (order.json) printJson(answer);
  else for (const item of items) printLine(visible(lineOf(item)));
  return refused === 0 ? exitCodes.ok : exitCodes.finding;
}

type Held = z.output<typeof summarySchema>;

/** As the queue shows it, which reads no content. */
async function heldNow(client: ControlClient, id: string): Promise<Held> {
  const [hold] = pageSchema.parse(await client.get(`/api/v1/holds?id=${encodeURIComponent(id)}`)).items;
  if (hold !== undefined) return hold;
  throw new HoldpointError('not_found', `${id} is not in the queue.`, 'List it with: holdpoint holds list');
}

/** Throws `digest_mismatch` and says which hold what. */
function sameContent(holds: readonly Held[]): string {
  const groups = [...Map.groupBy(holds, ({ contentDigest }) => contentDigest)];
  const [[digest = ''] = []] = groups;
  if (groups.length === 1 && digest !== '') return digest;
  const told = groups.map(([content, of]) => {
    const what = content === '' ? 'bytes that cannot be compared' : `bytes ${content.slice(0, 12)}…`;
    return `  ${what}: ${of.map(({ id }) => id).join(' ')}`;
  });
  throw new HoldpointError(
    'digest_mismatch',
    `Nothing was ruled on: these holds do not all hold the same bytes.\n${told.join('\n')}`,
    'Rule on those of one line together, and on each other one by itself.',
  );
}

/** One signature for each: a statement names its hold. */
async function signedRulings(
  client: ControlClient,
  holds: readonly Held[],
  key: ReviewerKeyFile,
  { verdict, reason }: Pick<ManyOrder, 'verdict' | 'reason'>,
): Promise<readonly object[]> {
  return Promise.all(
    holds.map(async ({ id, digest }) => {
      const about = await rulingAbout(client, pathOf(id), digest, verdict);
      return { id, ...key.signOrder({ verdict, reason, digest }, about) };
    }),
  );
}

function lineOf({ id, hold, refusal }: z.output<typeof ruledSchema>['items'][number]): string {
  if (refusal !== null || hold === null) return `${id} refused: ${refusal?.detail ?? 'no answer'}`;
  const { state, approvals } = hold;
  return state === 'pending'
    ? `${id}: approval ${approvals.given.length} of ${approvals.needed} is sealed.`
    : `${id} is ${state}.`;
}
