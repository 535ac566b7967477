/** What the sidecar says of an erasure: asked until it has ended, then in words. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { countText } from '../console/words/counts.ts';
import { erasedText, refusedTexts, stoppedText } from '../console/words/erasure.ts';
import type { controlClient } from './client.ts';
import { printLine, visible } from './print.ts';

/** What an erasure or a legal hold is on; a later sidecar may name more. */
export const scopeSchema = z.looseObject({
  decision: z.number().optional(),
  subject: z.string().optional(),
  match: z.record(z.string(), z.string()).optional(),
  rule: z.string().optional(),
  before: z.string().optional(),
});

export const erasureSchema = z.object({
  id: z.string(),
  state: z.enum(['waiting', 'running', 'done', 'stopped', 'failed']),
  dryRun: z.boolean(),
  decisions: z.number(),
  erased: z.number(),
  parts: z.number(),
  refused: z.record(z.string(), z.number()),
  entries: z.array(z.number()),
  bytesWiped: z.number(),
  bytesReclaimed: z.number(),
  /** A sidecar of an earlier version does not say. */
  stoppedBy: z.string().nullable().default(null),
  error: z.string().nullable(),
});
export type Erasure = z.output<typeof erasureSchema>;

const askAgainMs = 250;

/** The erasure once it has ended; `begun` is what its beginning was answered with. */
export async function untilEnded(
  client: ReturnType<typeof controlClient>,
  begun: unknown,
): Promise<{ readonly answer: unknown; readonly erasure: Erasure }> {
  let answer = begun;
  let erasure = erasureSchema.parse(answer);
  while (erasure.state === 'waiting' || erasure.state === 'running') {
    await sleep(askAgainMs);
    answer = await client.get(`/api/v1/erasures/${erasure.id}`);
    erasure = erasureSchema.parse(answer);
  }
  return { answer, erasure };
}

/** What it did, or would do, in lines. */
export function printErasure(erasure: Erasure): void {
  const { decisions, dryRun, entries, error, state, stoppedBy } = erasure;
  if (state === 'stopped') printLine(visible(stoppedText(stoppedBy ?? 'somebody')));
  else if (decisions === 0 && error === null) {
    const what = dryRun ? 'would erase nothing' : 'nothing erased';
    printLine(`${what}: no decision whose content is still there is meant by that`);
    printLine(
      '  names are compared letter by letter, as the workload sent them: look with holdpoint decisions list',
    );
    return;
  }
  printLine(erasedText(erasure));
  for (const line of refusedTexts(erasure)) printLine(visible(`  ${line}`));
  if (dryRun) printLine('  a dry run: nothing was sealed or erased');
  else {
    printLine(
      `  ${countText(erasure.bytesWiped)} bytes overwritten, files smaller by ${countText(erasure.bytesReclaimed)} bytes`,
    );
    printLine(`  sealed as ${entries.join(', ') || 'nothing'}`);
  }
  if (error !== null) printLine(`  failed: ${visible(error)}`);
}
