/**
 * Answers that by HTTP have no body, whatever their header says of one (RFC 9110 sections 15.3.5 and 15.4.5, RFC 9112
 * section 6.3): nothing can stand in one, so that nothing is left to read. Those to HEAD are read nowhere. Pure.
 */
import { type HttpMessage, valuesOf } from './http-message.ts';

const noContent = 204;
const notModified = 304;

/**
 * True for 304 Not Modified and 204 No Content that came without a body. The first may tell of one that stands elsewhere;
 * who tells of one in a 204 does not heed HTTP, and may mean something by it.
 */
export function isBodiless(
  status: number,
  { headers, body }: Pick<HttpMessage, 'headers' | 'body'>,
): boolean {
  if (body.length > 0) return false;
  if (status === notModified) return true;
  if (status !== noContent || valuesOf(headers, 'transfer-encoding').length > 0) return false;
  return valuesOf(headers, 'content-length').every((length) => length === '0');
}
