/**
 * Where clients read a line of an event stream otherwise than the standard does (WHATWG HTML, "9.2.6 Interpreting an
 * event stream"). Python's line readers end a line at eight more characters than CR and LF, cohere-ai's takes
 * `data:` anywhere in a line for the field, @google/genai's forgets white space before it, many read each data line as
 * an event of its own, and who asked for no stream reads the body as JSON, whatever its type says. Pure.
 */

const colon = 0x3a;
const dataField = 'data';

function isDataField(bytes: Buffer, at: number, colonAt: number): boolean {
  const from = colonAt - dataField.length;
  return from >= at && bytes.toString('latin1', from, colonAt) === dataField;
}

/** Characters of Unicode that Python's `str.splitlines` ends a line at, beside CR and LF. */
function endsLineInPython(bytes: Buffer, at: number): boolean {
  const byte = bytes[at] ?? 0;
  if (byte === 0x0b || byte === 0x0c || (byte >= 0x1c && byte <= 0x1e)) return true;
  if (byte === 0xc2) return bytes[at + 1] === 0x85;
  return byte === 0xe2 && bytes[at + 1] === 0x80 && (bytes[at + 2] === 0xa8 || bytes[at + 2] === 0xa9);
}

const lineEndsOfText = ['\x85', '\u2028', '\u2029'].map((end) => Buffer.from(end));

/**
 * True where Python's line readers cut a line that is one text of JSON, in which the other characters cannot stand. Their
 * clients, LiteLLM among them, pass over the halves, or join them without what stood between.
 */
export function isCutInPython(bytes: Buffer): boolean {
  return lineEndsOfText.some((end) => bytes.includes(end));
}

/** Why a line that is no data, such as a comment, may be data to a client; '' when it is none to any. */
export function hiddenDataIn(bytes: Buffer, at: number, end: number): string {
  for (let i = at; i < end; i += 1) {
    if (bytes[i] === colon && isDataField(bytes, at, i)) return 'a line that is no data has data within it';
    if (endsLineInPython(bytes, i)) return 'a line that is no data may be read as several';
  }
  return '';
}

/** Why the lines of an event's data may be events of their own to a client; '' when they are not. */
export function splitEventIn(lines: readonly string[]): string {
  return lines.some(isWholeJson) ? 'a line of an event may be read as an event' : '';
}

function isWholeJson(line: string): boolean {
  const text = line.trim();
  if (!/^[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    // A part of a text that was written on several lines.
    return false;
  }
}
