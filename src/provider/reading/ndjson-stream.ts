/**
 * Drives one family's reader over an answer of newline-delimited JSON, by the rules of server-sent events:
 * whatever could not be read is a `tool` event, which never passes unjudged. Pure; no sockets.
 */
import { lineOfJson, parseForRewrite } from '../amending/amendment.ts';
import type { ResponseStream, StreamEvent } from '../protocol.ts';
import { isRecord, type JsonRecord } from '../wire/json.ts';
import { createNdjsonSplitter, lineBytesMaxDefault, type NdjsonLine } from '../wire/ndjson.ts';
import { note, unreadResponse } from './reading.ts';
import { absorbData, type StreamEventKind, type StreamReader } from './stream.ts';

/** Some clients skip a blank line and some fail on one; none finds anything in it. */
function isBlank(line: NdjsonLine): boolean {
  return line.defect === '' && line.text.trim() === '';
}

function absorbLine(reader: StreamReader, line: NdjsonLine): StreamEventKind {
  if (line.defect !== '') {
    note(reader.defects, line.defect);
    return 'tool';
  }
  if (isBlank(line)) return 'other';
  const kind = absorbData(reader, { raw: line.raw, event: '', data: line.text });
  // White space to a parser of JSON, and the end of a line to Python's readers, which find an object of its own between two.
  if (!line.text.trim().includes('\r')) return kind;
  note(reader.defects, 'a line of the stream may be read as several');
  return 'tool';
}

/** Opens the driver. `lineBytesMax` bounds one line; a longer one is a defect. */
export function openLineStream(
  reader: StreamReader,
  lineBytesMax: number = lineBytesMaxDefault,
): ResponseStream {
  const splitter = createNdjsonSplitter(lineBytesMax);
  return {
    push: (chunk) =>
      splitter.push(chunk).map((line): StreamEvent => ({ kind: absorbLine(reader, line), raw: line.raw })),
    finish() {
      const { rest, line } = splitter.finish();
      if (line !== null) absorbLine(reader, line);
      return { rest, reading: reader.reading() };
    },
  };
}

/** Lines that are split but not understood: an unknown operation, or an answer with an error status. */
export function openUnreadLines(status: number): ResponseStream {
  const splitter = createNdjsonSplitter();
  return {
    push: (chunk) => splitter.push(chunk).map((line): StreamEvent => ({ kind: 'other', raw: line.raw })),
    finish: () => ({ rest: splitter.finish().rest, reading: unreadResponse(status, '') }),
  };
}

/** Rewrites a stream line by line: `null` keeps the line's bytes, a list replaces it, [] drops it. */
export function rewriteLines(
  original: Buffer,
  rewrite: (value: JsonRecord) => readonly JsonRecord[] | null,
): Buffer {
  const splitter = createNdjsonSplitter(Math.max(original.length, 1));
  const lines = splitter.push(original);
  const last = splitter.finish().line;
  const out: Buffer[] = [];
  for (const line of last === null ? lines : [...lines, last]) {
    const value = isBlank(line) ? null : parseForRewrite(line.text);
    const rewritten = isRecord(value) ? rewrite(value) : null;
    if (rewritten === null) out.push(line.raw);
    else for (const data of rewritten) out.push(Buffer.from(`${lineOfJson(data)}\n`));
  }
  return Buffer.concat(out);
}
