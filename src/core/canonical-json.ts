/** One text for all spellings of a JSON document: keys sorted, no spaces. For comparing, never for sealing. */

const depthMax = 512;

/** The canonical text; null when the bytes are not JSON, nest too deeply or hold a number that a double does not tell from others. */
export function canonicalJson(bytes: Buffer): string | null {
  try {
    return write(JSON.parse(bytes.toString('utf8')), 0);
  } catch {
    return null;
  }
}

function write(value: unknown, depth: number): string {
  if (depth > depthMax) throw new RangeError('JSON nests too deeply.');
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
    throw new RangeError('An integer beyond 2^53 is not exact.');
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${write(member, depth + 1)}`).join(',')}}`;
}
