/**
 * Words that stand in a request or an answer as the bytes of a text file: in a data URL, or beside the type of what they are.
 * A model reads them like any other. Pure.
 */
import { isUtf8 } from 'node:buffer';
import { type JsonRecord, textOf } from '../wire/json.ts';

export const dataUrl = /^data:([^,;]*)[^,]*;base64,/i;
export const textTypes =
  /^\s*(text\/|application\/(json|xml|yaml|x-yaml|javascript|x-javascript|x-sh|sql)\b)/i;

/** What a data URL of a text says; '' for any other text. */
export function saidInUrl(text: string): string {
  if (!/^data:/i.test(text)) return '';
  const [start = '', type = ''] = dataUrl.exec(text) ?? [];
  return textTypes.test(type) ? Buffer.from(text.slice(start.length), 'base64').toString('utf8') : '';
}

const typeMembers = ['mimeType', 'mime_type', 'mediaType', 'media_type', 'contentType', 'content_type'];
const byteMembers = ['data', 'bytes', 'blob'];
const base64 = /^[\w+/\s-]*={0,2}\s*$/;

/** What the bytes within an object say that has their type beside them; '' for none. */
export function saidInBytes(value: JsonRecord): string {
  const member = byteMembers.find((name) => typeof value[name] === 'string');
  if (member === undefined || !typeMembers.some((name) => textTypes.test(textOf(value[name])))) return '';
  const written = textOf(value[member]);
  const bytes = Buffer.from(written, 'base64');
  // Words that are no base64 decode to anything; a text in another coding is still mostly read.
  return base64.test(written) || isUtf8(bytes) ? bytes.toString('utf8') : '';
}
