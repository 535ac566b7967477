/**
 * What Mistral reads out of files for its callers: text of documents and of speech
 * (https://docs.mistral.ai/api/endpoint/ocr, .../audio/transcriptions). Pure; hostile bytes in, facts out.
 */
import type { UsageFacts } from '../../core/facts.ts';
import { readChatUsage } from '../openai/chat.ts';
import type { ResponseReading } from '../protocol.ts';
import {
  boundedList,
  joined,
  note,
  openAnswer,
  openSaidBefore,
  unreadResponse,
  usageAbsent,
} from '../reading/reading.ts';
import type { StreamReader } from '../reading/stream.ts';
import { isRecord, type JsonRecord, textOf } from '../wire/json.ts';

const pagesMax = 100_000;

function readOut(status: number, model: string, text: string, usage: UsageFacts): ResponseReading['facts'] {
  return { ...unreadResponse(status, '').facts, model, text, usage };
}

/** Every text of that name in a list of objects. */
function textsOf(list: unknown, name: string): readonly string[] {
  const entries: readonly unknown[] = Array.isArray(list) ? list : [];
  return entries.filter(isRecord).map((entry) => textOf(entry[name]));
}

/** A page refers to its tables where they stand by themselves, and says again in blocks what it says. */
function pageText({ header, markdown, footer, tables, images, blocks }: JsonRecord): string {
  const running = [header, markdown, footer].map(textOf);
  const beside = [...textsOf(tables, 'content'), ...textsOf(images, 'image_annotation')];
  const text = [...running, ...beside].reduce(joined, '');
  const isSaid = openSaidBefore();
  return textsOf(blocks, 'content')
    .filter((block) => !isSaid(text, block))
    .reduce(joined, text);
}

/** Reads a whole answer of status below 400: the text of every page, and what was noted of it and of the document. */
export function readOcrResponse(status: number, bytes: Buffer): ResponseReading {
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  let text = '';
  for (const page of boundedList(body.pages, pagesMax, '`pages`', defects)) {
    if (!isRecord(page)) note(defects, 'an entry of `pages` is not an object');
    else text = joined(text, pageText(page));
  }
  text = joined(text, textOf(body.document_annotation));
  return {
    facts: readOut(status, textOf(body.model), text, usageAbsent),
    defects,
    complete: true,
    failed: false,
  };
}

/** Opens a reader for a transcription's stream. Its last event repeats the pieces as one text. */
export function createTranscriptionStreamReader(status: number): StreamReader {
  const defects: string[] = [];
  let pieces = '';
  let segments = '';
  let whole: string | null = null;
  let model = '';
  let usage: UsageFacts = usageAbsent;
  let failed = false;
  return {
    defects,
    absorbText: (data) => (data.trim() === '[DONE]' ? 'other' : null),
    absorbEmpty: () => 'other',
    absorb(event, value) {
      switch (textOf(value.type) || event) {
        case 'transcription.text.delta':
          pieces += textOf(value.text);
          return 'text';
        case 'transcription.segment':
          segments = joined(segments, textOf(value.text));
          return 'text';
        case 'transcription.language':
          return 'other';
        case 'transcription.done':
          whole = textOf(value.text);
          model = textOf(value.model);
          usage = readChatUsage(value.usage);
          return 'end';
        default:
          failed ||= value.object === 'error' || event === 'error';
          return failed ? 'error' : 'tool';
      }
    },
    reading() {
      if (whole !== null && pieces !== '' && whole.trim() !== pieces.trim()) {
        note(defects, 'the deltas of a transcription differ from the text sent whole');
      }
      const text = whole ?? (pieces || segments);
      return { facts: readOut(status, model, text, usage), defects, complete: whole !== null, failed };
    },
  };
}
