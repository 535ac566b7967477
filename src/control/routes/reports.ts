/** Decisions that were made elsewhere: read line by line, sealed as reported, answered line by line. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../core/clock.ts';
import { HoldpointError } from '../../core/errors.ts';
import { createReportDesk, type LineResult } from '../../report/desk.ts';
import { type Line, linesOf } from '../../report/split.ts';
import {
  lineBytesMax,
  lineMsMax,
  linesMax,
  type ReportLine,
  type ReportSummary,
  reportDecisions,
} from '../api/reports.ts';
import type { ControlRequest, Route } from '../http.ts';
import type { ControlParts } from '../parts.ts';

const reportsMax = 2;
/** How long lines of one report are taken in before it is asked again whether its reporter still may. */
const lookEveryMs = 1_000;
/** Of a refusal's words. */
const detailCharactersMax = 400;
/**
 * Who sends all before reading anything must not be waited for, so that answers are kept for them: as many lines as one
 * report may have, of 1 KiB. A line that many rules match has more.
 */
const keptBytesMax = linesMax * 1024;

export function reportRoutes(parts: ControlParts): Route[] {
  const desk = createReportDesk(parts);
  let running = 0;

  async function report({ req, res, identity, stillMay }: ControlRequest): Promise<void> {
    if (running >= reportsMax)
      throw new HoldpointError(
        'overloaded',
        'Other reports are under way.',
        'Send it again in a few seconds.',
      );
    requireLines(req);
    running += 1;
    const summary = { lines: 0, sealed: 0, known: 0, refused: 0, complete: true };
    try {
      res.writeHead(200, { 'content-type': 'application/x-ndjson' });
      const stopped = { early: false };
      const arriving = arrivingInTime(linesOf(chunksOf(req), lineBytesMax), req);
      const allowed = whileAllowed(arriving, stillMay, parts.clock);
      const lines = firstOf(allowed, stopped, res);
      for await (const result of desk.take(lines, identity.name)) {
        summary.lines += 1;
        summary[result.status] += 1;
        send(res, shown(parts, result));
      }
      summary.complete = !stopped.early;
      send(res, { summary });
      res.end();
    } finally {
      running -= 1;
    }
  }

  return [
    {
      method: 'POST',
      path: '/api/v1/decisions:batch',
      operation: reportDecisions,
      readsLong: true,
      handle: report,
    },
  ];
}

function requireLines(req: IncomingMessage): void {
  const type = req.headers['content-type'] ?? '';
  if (/^application\/(x-ndjson|jsonl)\s*(;|$)/i.test(type)) return;
  throw new HoldpointError(
    'invalid_argument',
    'The body must be application/x-ndjson.',
    'Set Content-Type: application/x-ndjson and send one JSON object a line.',
  );
}

async function* chunksOf(req: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of req) yield chunk;
  } catch (error) {
    throw new HoldpointError('invalid_argument', 'The report was cut off.', '', error);
  }
}

/**
 * Cuts off who does not get a line across: a connection that is half open would keep others from reporting. What is
 * sealed meanwhile takes none of its time.
 */
async function* arrivingInTime(lines: AsyncGenerator<Line>, req: IncomingMessage): AsyncGenerator<Line> {
  const seconds = lineMsMax / 1000;
  const late = new HoldpointError('invalid_argument', `No line of the report came within ${seconds} s.`);
  const wait = (): NodeJS.Timeout => setTimeout(() => req.destroy(late), lineMsMax);
  let slow = wait();
  try {
    for await (const line of lines) {
      clearTimeout(slow);
      yield line;
      slow = wait();
    }
  } finally {
    clearTimeout(slow);
  }
}

/** Throws what `stillMay` throws: a report may take ten minutes to arrive. */
async function* whileAllowed(
  lines: AsyncIterable<Line>,
  stillMay: ControlRequest['stillMay'],
  { monoUs }: Clock,
): AsyncGenerator<Line> {
  let lookedAtUs = monoUs();
  for await (const line of lines) {
    if (monoUs() - lookedAtUs >= lookEveryMs * 1000) {
      await stillMay();
      lookedAtUs = monoUs();
    }
    yield line;
  }
}

/** No more lines than one report may have, and than answers are kept of; the rest is passed over. */
export async function* firstOf(
  lines: AsyncIterable<Line>,
  stopped: { early: boolean },
  res: Pick<ServerResponse, 'writableLength'>,
): AsyncGenerator<Line> {
  let count = 0;
  for await (const line of lines) {
    if (stopped.early || count >= linesMax || res.writableLength >= keptBytesMax) {
      // Read on all the same: who is still sending would be cut off, and not hear what became of the others.
      stopped.early = true;
      continue;
    }
    count += 1;
    yield line;
  }
}

function send(res: ServerResponse, line: ReportLine | ReportSummary): void {
  res.write(`${JSON.stringify(line)}\n`);
}

function shown({ ledger }: ControlParts, result: LineResult): ReportLine {
  const { line, id, status } = result;
  if (status !== 'refused')
    return { line, id, status, decision: ledger.decisionId(result.decision), rules: result.rules };
  const { code, message, next } = result.error;
  return { line, id, status, code, detail: message.slice(0, detailCharactersMax), next };
}
