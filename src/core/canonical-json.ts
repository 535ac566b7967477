/** One text for all spellings of a JSON document: keys sorted, no spaces. For comparing, never for sealing. */

const depthMax = 512;

/**
 * A number of 16 digits or more, or with an exponent: it may be one of many that are the same double, or no double at
 * all. What looks like one inside a string is taken for one.
 */
const mayBeInexact = /(?:^|[:,[])\s*-?(?:[\d.]{16}|[\d.]+[eE])/;

/** The canonical text; null when the bytes are not JSON, nest too deeply or may hold a number that a double does not tell from others. */
export function canonicalJson(bytes: Buffer): string | null {
  const text = bytes.toString('utf8');
  if (mayBeInexact.test(text)) return null;
  try {
    return write(JSON.parse(text), 0);
  } catch {
    return null;
  }
}

function write(value: unknown, depth: number): string {
  if (depth > depthMax) throw new RangeError('JSON nests too deeply.');
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${write(member, depth + 1)}`).join(',')}}`;
}
