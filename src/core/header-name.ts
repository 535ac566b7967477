/** What the sidecar's own request headers name: who asks, for whom and what for. Pure. */
import { isUtf8 } from 'node:buffer';
import { headerOf, type RawHeaders } from './http-message.ts';
import { leafTextMax } from './leaf-text.ts';

/**
 * The name in a header, '' for none. node:http gives a character for each byte, and clients differ in which bytes a name
 * is: fetch writes ISO 8859-1, Go and curl UTF-8. Both are one name, or an erasure would not find half of a person's calls.
 */
export function nameIn(headers: RawHeaders, header: string): string {
  const value = headerOf(headers, header);
  // Most calls have none of them.
  if (value === '') return '';
  const bytes = Buffer.from(value, 'latin1');
  const name = isUtf8(bytes) ? bytes.toString('utf8') : value;
  return name.slice(0, leafTextMax).toWellFormed();
}
