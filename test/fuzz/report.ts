/** Runs the fuzzer in a process of its own and reads what it says, which is one line of JSON. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const report = z.object({
  target: z.string(),
  inputs: z.number(),
  perSecond: z.number(),
  /** In the sources that the target loads. */
  blocks: z.number(),
  /** Reached before the first mutation. */
  blocksAtFirst: z.number(),
  blocksReached: z.number(),
  kept: z.number(),
  /** `input` is base64. */
  findings: z.array(z.object({ kind: z.string(), message: z.string(), input: z.string() })),
});
export type FuzzReport = z.infer<typeof report>;

const command = fileURLToPath(new URL('./run.ts', import.meta.url));
const reportBytesMax = 16 * 1024 * 1024;

/** Fuzzes one target with these options of run.ts. Rejects with what went to stderr when there is no report. */
export function runFuzzer(target: string, ...options: readonly string[]): Promise<FuzzReport> {
  return new Promise((resolve, reject) => {
    const args = [command, target, ...options];
    execFile(process.execPath, args, { maxBuffer: reportBytesMax }, (_failed, stdout, stderr) => {
      // Its exit status says only whether there are findings, which the report lists.
      if (stdout.startsWith('{')) resolve(report.parse(JSON.parse(stdout)));
      else reject(new Error(`The fuzzer failed on ${target}: ${stderr}`));
    });
  });
}
