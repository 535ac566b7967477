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

function decoded(path: string): string {
  let plain = path;
  for (let pass = 0; pass < decodePassesMax && plain.includes('%'); pass += 1) plain = decodePercent(plain);
  return plain;
}

/** Matrix parameters, controls and blanks are dropped by some routers and kept by others. */
function segmentOf(part: string): string {
  return part.replace(/;.*$/s, '').replace(/[^\x21-\x7e]/g, '');
}

/** The path's segments: decoded, as they are spelt, without parameters, dot segments, blanks or empty segments. */
export function speltSegments(path: string): readonly string[] {
  const plain = decoded(path);
  const cut = plain.search(/[?#]/);
  const segments: string[] = [];
  for (const part of (cut === -1 ? plain : plain.slice(0, cut)).split(/[/\\]/)) {
    const segment = segmentOf(part);
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return segments;
}

/** The same in lower case, as routes are compared. */
export function routeSegments(path: string): readonly string[] {
  return speltSegments(path).map((segment) => segment.toLowerCase());
}

/** Far more than the paths of any API have. Readers of routes try each place of a path, some each pair of them. */
const segmentsMax = 256;

/** True for a path that nobody reads in a time worth its length, however its separators are encoded. */
export function hasTooManySegments(path: string): boolean {
  const plain = decoded(path);
  let separators = 0;
  for (let at = 0; at < plain.length; at += 1) {
    const code = plain.charCodeAt(at);
    if (code === 0x2f || code === 0x5c) separators += 1;
  }
  return separators > segmentsMax;
}

/**
 * True for a path whose dot segments lead to one place for some servers and to another for others, such as over an empty
 * segment, behind an encoded question mark or above the root: which operation it means cannot be said.
 */
export function isUnclear(path: string): boolean {
  if (!path.includes('..') && !/%/.test(path)) return false;
  const plain = decoded(path);
  if (!plain.includes('..')) return false;
  const cut = plain.search(/[?#]/);
  if (cut !== -1 && plain.slice(cut).split(/[/\\]/).some(isParent)) return true;
  const parts = (cut === -1 ? plain : plain.slice(0, cut)).split('/').slice(1);
  if (!parts.some(isParent) && !plain.includes('\\')) return false;
  const merged: string[] = [];
  const literal: string[] = [];
  for (const part of parts) {
    if (part === '..') {
      if (merged.pop() === undefined || literal.pop() === undefined) return true;
    } else if (part.includes('\\') || segmentOf(part) === '..') return true;
    else if (part !== '.') {
      literal.push(part);
      if (segmentOf(part) !== '') merged.push(part);
    }
  }
  return merged.join('/') !== literal.filter((part) => segmentOf(part) !== '').join('/');
}

function isParent(part: string): boolean {
  return segmentOf(part) === '..';
}

/** True when the path's last segments are these. */
export function endsWithSegments(segments: readonly string[], tail: readonly string[]): boolean {
  const offset = segments.length - tail.length;
  return offset >= 0 && tail.every((segment, i) => segments[offset + i] === segment);
}
