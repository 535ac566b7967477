/** Answers that are words and nothing else: no call is handed to the workload in them. Pure. */
import type { ResponseReading } from '../protocol.ts';
import { openAnswer, textWithin, unreadResponse } from './reading.ts';

/** Reads a whole answer of status below 400: every text in it, wherever it stands. */
export function readWords(status: number, bytes: Buffer): ResponseReading {
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  const facts = { ...unreadResponse(status, '').facts, text: textWithin(body) };
  return { facts, defects, complete: true, failed: false };
}
