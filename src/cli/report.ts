/** `holdpoint decisions report`: sends decisions that were made elsewhere to a running sidecar, some hundred lines at a time. */
import { createReadStream } from 'node:fs';
import { z } from 'zod';
import { countText } from '../console/words/counts.ts';
import { HoldpointError, refusalOf } from '../core/errors.ts';
import { linesOf } from '../report/split.ts';
import { type ControlClient, clientOptions, controlClient } from './client.ts';
import { type Command, type Environment, type ExitCode, exitCodes } from './command.ts';
import { onlyArgument, readArguments } from './options.ts';
import { printLine, safeJson } from './print.ts';
import { refusedLines } from './refused-lines.ts';

/** Of one request; what is longer than a line may be is refused by the sidecar. */
const batchLinesMax = 500;
const batchBytesMax = 8 * 1024 * 1024;
const lineBytesMax = 16 * 1024 * 1024;

const resultSchema = z.object({
  line: z.number(),
  id: z.string(),
  status: z.enum(['sealed', 'known', 'refused']),
  decision: z.string().optional(),
  rules: z.array(z.string()).optional(),
  code: z.string().optional(),
  detail: z.string().optional(),
  next: z.string().optional(),
});
type Result = z.output<typeof resultSchema>;
const lineFeed = Buffer.from('\n');
const lastSchema = z.object({ summary: z.object({ complete: z.boolean() }) });

export const reportCommand: Command = {
  name: 'decisions report',
  usage: 'FILE [--json]',
  summary:
    'seal decisions made elsewhere, one JSON object a line; exit 1 when a line is refused, 2 when none is a JSON object',
  run: report,
};

async function report(args: readonly string[], env: Environment): Promise<ExitCode> {
  const options = readArguments(args, clientOptions, ['json']);
  const file = onlyArgument(options, 'file of decisions');
  const client = controlClient(options, env);
  const isJson = options.flag('json');
  const counts = { lines: 0, sealed: 0, known: 0, refused: 0 };
  const told = refusedLines(file, !isJson);
  for await (const batch of batchesOf(file)) {
    for (const { bytes, ...result } of await send(client, batch)) {
      counts.lines += 1;
      counts[result.status] += 1;
      if (isJson) printLine(safeJson(result));
      told.take(bytes, result.status === 'refused' ? result : null);
    }
    if (process.stderr.isTTY) process.stderr.write(`\r${countText(counts.lines)} lines`);
  }
  if (process.stderr.isTTY) process.stderr.write('\n');
  // A line as every other: who reads the output reads lines.
  if (isJson) printLine(safeJson({ summary: counts }));
  told.end();
  if (!isJson)
    printLine(
      `${countText(counts.sealed)} sealed as reported, ${countText(counts.known)} known before, ${countText(counts.refused)} refused`,
    );
  return counts.refused === 0 ? exitCodes.ok : exitCodes.finding;
}

interface Batch {
  readonly lines: readonly { readonly number: number; readonly bytes: Buffer }[];
}

async function* batchesOf(file: string): AsyncGenerator<Batch> {
  let lines: { number: number; bytes: Buffer }[] = [];
  let bytes = 0;
  try {
    for await (const { number, bytes: line } of linesOf(createReadStream(file), lineBytesMax)) {
      if (line === null)
        throw new HoldpointError(
          'usage',
          `Line ${number} is longer than ${lineBytesMax} bytes.`,
          'Take it out.',
        );
      lines.push({ number, bytes: line });
      bytes += line.length;
      if (lines.length < batchLinesMax && bytes < batchBytesMax) continue;
      yield { lines };
      lines = [];
      bytes = 0;
    }
  } catch (error) {
    if (error instanceof HoldpointError) throw error;
    throw new HoldpointError(
      'usage',
      `${file} cannot be read: ${refusalOf(error)}.`,
      'Name a file of decisions, one JSON object a line.',
      error,
    );
  }
  if (lines.length > 0) yield { lines };
}

/** What became of each, by its line in the file, with the line. */
async function send(
  client: ControlClient,
  { lines }: Batch,
): Promise<readonly (Result & { readonly bytes: Buffer })[]> {
  // As they are: a line that is no UTF-8 is refused, and not put into other words.
  const body = Buffer.concat(lines.flatMap(({ bytes }) => [bytes, lineFeed]));
  const answer = await client.postLines('/api/v1/decisions:batch', body);
  const results = z.array(resultSchema).safeParse(answer.slice(0, -1));
  const isWhole = lastSchema.safeParse(answer.at(-1)).success && results.data?.length === lines.length;
  if (!isWhole || !results.success)
    throw new HoldpointError(
      'sidecar_unreachable',
      'The answer was cut off.',
      'Run the same command again: what was sealed is known by its id.',
    );
  return lines.flatMap(({ number: line, bytes }, i) => {
    const result = results.data[i];
    return result === undefined ? [] : [{ ...result, line, bytes }];
  });
}
