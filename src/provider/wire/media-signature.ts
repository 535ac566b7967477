/** Pictures, sound and films, told by how they begin: as no JSON does in any of its encodings. Lines may. Pure. */

/** In hexadecimal. */
const signatures: readonly RegExp[] = [
  /^89504e470d0a1a0a/, // PNG
  /^ffd8ff/, // JPEG
  /^474946383[79]61/, // GIF
  /^52494646.{8}(?:57415645|57454250|41564920)/, // RIFF: WAVE, WEBP, AVI
  /^4f67675300/, // Ogg
  /^664c6143[08]0/, // FLAC
  /^4944330[2-4]00/, // MP3 with a tag
  /^ff(?:f2|f3|fa|fb)/, // and without
  // MP4 and its kin. The size of its first box is below 64 KB; no JSON in UTF-16 begins with a NUL character.
  /^0000.{4}66747970/,
];
const longestBytes = 12;

/** False where the bytes begin a picture, a sound or a film; what cannot be told counts as JSON. */
export function mayBeJson(firstBytes: Buffer): boolean {
  const beginning = firstBytes.toString('hex', 0, longestBytes);
  return !signatures.some((signature) => signature.test(beginning));
}
