/** Reads DER (ITU-T X.690) as far as a time stamp needs: definite lengths, tags of one octet. Pure. */

export interface DerItem {
  readonly tag: number;
  readonly content: Buffer;
}

/** The items that `bytes` are, one after the other; null where they are none. */
export function readDer(bytes: Buffer): readonly DerItem[] | null {
  const items: DerItem[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1];
    if (first === undefined || (tag & 0x1f) === 0x1f || first === 0x80 || first > 0x84) return null;
    const lengthOctets = first > 0x80 ? first - 0x80 : 0;
    const start = at + 2 + lengthOctets;
    if (start > bytes.length) return null;
    const length = lengthOctets === 0 ? first : bytes.readUIntBE(at + 2, lengthOctets);
    if (start + length > bytes.length) return null;
    items.push({ tag, content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return items;
}

/** The items of the constructed item at `index`, if its tag is `tag`; null otherwise. */
export function readInside(
  items: readonly DerItem[] | null,
  index: number,
  tag: number,
): readonly DerItem[] | null {
  const item = items?.[index];
  return item?.tag === tag ? readDer(item.content) : null;
}
