/**
 * Reduces a request path to the segments a provider's router may see, so that no other spelling of a
 * known route passes as unknown. Errs towards recognising: a path taken for a known route is read and
 * judged, one taken for unknown is not. Pure; imports nothing.
 */

/** Gateways in front of a provider may each decode once. */
const decodePassesMax = 4;

function decodePercent(path: string): string {
  return path.replace(/%([0-9a-f]{2})/gi, (_whole, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** The path's segments: decoded, lower-case, without parameters, dot segments, blanks or empty segments. */
export function routeSegments(path: string): readonly string[] {
  let plain = path;
  for (let pass = 0; pass < decodePassesMax && plain.includes('%'); pass += 1) plain = decodePercent(plain);
  const cut = plain.search(/[?#]/);
  if (cut !== -1) plain = plain.slice(0, cut);
  const segments: string[] = [];
  for (const part of plain.toLowerCase().split(/[/\\]/)) {
    // Matrix parameters, controls and blanks are dropped by some routers and kept by others.
    const segment = part.replace(/;.*$/s, '').replace(/[^\x21-\x7e]/g, '');
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return segments;
}

/** True when the path's last segments are these. */
export function endsWithSegments(segments: readonly string[], tail: readonly string[]): boolean {
  const offset = segments.length - tail.length;
  return offset >= 0 && tail.every((segment, i) => segments[offset + i] === segment);
}
