/**
 * What Cohere reads out of a document for its caller: pages, each as one text or as blocks of text, tables and what is seen
 * in images (cohere-ai: `v2.parse`). Pure; hostile bytes in, facts out.
 */
import type { ResponseReading } from '../protocol.ts';
import { note, openAnswer, textWithin } from '../reading/reading.ts';
import { cohereFacts, readCohereUsage } from './chat.ts';

/** Reads a whole answer of status below 400: every word of every page. */
export function readParsedDocument(status: number, bytes: Buffer): ResponseReading {
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  if (!Array.isArray(body.pages)) note(defects, '`pages` is not a list');
  const said = { text: textWithin(body.pages), toolCalls: [], finishReason: '' };
  const facts = cohereFacts(status, said, readCohereUsage(body.meta));
  return { facts, defects, complete: true, failed: false };
}
