/**
 * Drives one family's reader over an answer that is one JSON array, by the rules of server-sent events:
 * whatever could not be read is a `tool` event, which never passes unjudged. Pure; no sockets.
 */
import { parseForRewrite, unamendable } from '../amending/amendment.ts';
import type { ResponseStream, StreamEvent } from '../protocol.ts';
import { isRecord, type JsonRecord } from '../wire/json.ts';
import { type ArrayElement, createArraySplitter, elementBytesMaxDefault } from '../wire/json-array.ts';
import { note } from './reading.ts';
import { absorbData, type StreamEventKind, type StreamReader } from './stream.ts';

function textOfElement({ raw, start }: ArrayElement): string {
  return raw.toString('utf8', start);
}

function absorbElement(reader: StreamReader, element: ArrayElement): StreamEventKind {
  if (element.defect === '') {
    return absorbData(reader, { raw: element.raw, event: '', data: textOfElement(element) });
  }
  note(reader.defects, element.defect);
  return 'tool';
}

/** Opens the driver. `elementBytesMax` bounds one element; a larger one is a defect. */
export function openArrayStream(
  reader: StreamReader,
  elementBytesMax: number = elementBytesMaxDefault,
): ResponseStream {
  const splitter = createArraySplitter(elementBytesMax);
  return {
    push: (chunk) =>
      splitter.push(chunk).map((element): StreamEvent => {
        return { kind: absorbElement(reader, element), raw: element.raw };
      }),
    finish() {
      const { rest, closed, broken } = splitter.finish();
      const reading = reader.reading();
      // Clients that parse the body whole get nothing from an array that is not closed. Of what is no array
      // nobody knows whether it is complete: its defect holds it.
      return { rest, reading: { ...reading, complete: broken || (reading.complete && closed) } };
    },
  };
}

/** Rewrites an array element by element: `null` keeps the element's bytes, an object replaces it. */
export function rewriteArray(original: Buffer, rewrite: (value: JsonRecord) => JsonRecord | null): Buffer {
  const splitter = createArraySplitter(Math.max(original.length, 1));
  const out: Buffer[] = [];
  for (const element of splitter.push(original)) {
    const value = element.defect === '' ? parseForRewrite(textOfElement(element)) : null;
    if (!isRecord(value)) throw unamendable('it is not a JSON array of objects');
    const rewritten = rewrite(value);
    if (rewritten === null) out.push(element.raw);
    else out.push(element.raw.subarray(0, element.start), Buffer.from(JSON.stringify(rewritten)));
  }
  return Buffer.concat([...out, splitter.finish().rest]);
}
