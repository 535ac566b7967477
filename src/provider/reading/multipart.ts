/**
 * Reads multipart/form-data (RFC 7578, framing by RFC 2046 section 5.1.1). Parsers differ in what they forgive
 * here, and a form that two of them read differently can show the rules one model and the provider another:
 * whatever is not written the one way that all agree on is a defect. Pure; imports nothing of a family.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { note } from './reading.ts';

export const formPartsMax = 2_000;
const partHeaderBytesMax = 16 * 1024;
/** A prompt is far shorter; what is longer is a file. */
const fieldBytesMax = 8 * 1024 * 1024;

export interface FormPart {
  readonly name: string;
  /** null where the part is a field. */
  readonly fileName: string | null;
  /** As the part says it, in lower case, without parameters; '' where it says none. */
  readonly contentType: string;
  /** What a field holds; '' for a file. */
  readonly text: string;
  readonly bytes: number;
  /** A view of the body. */
  readonly content: Buffer;
}

export interface FormReading {
  readonly parts: readonly FormPart[];
  readonly defects: readonly string[];
}

const lineBreak = '\r\n';
const blankLine = Buffer.from('\r\n\r\n');
const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const dash = 0x2d;

/** True for a body that names itself a form, however it is spelt. */
export function isForm(contentType: string): boolean {
  return /^\s*multipart\//i.test(contentType);
}

/**
 * The parameters after a header's first word: names in lower case, quoted values without their quotes. null
 * where readers may disagree: a name twice, an escape, anything between parameters that is none.
 */
function readParameters(text: string): ReadonlyMap<string, string> | null {
  const parameter = /[ \t]*;[ \t]*([!#$%&'*+.^_`|~0-9a-z-]+)=(?:"([^"]*)"|([^\s";,]+))/giy;
  const parameters = new Map<string, string>();
  let end = 0;
  for (let match = parameter.exec(text); match !== null; match = parameter.exec(text)) {
    const name = (match[1] ?? '').toLowerCase();
    const value = match[2] ?? match[3] ?? '';
    // Whether a backslash before a quote escapes it, parsers decide differently.
    if (parameters.has(name) || value.endsWith('\\')) return null;
    parameters.set(name, value);
    end = parameter.lastIndex;
  }
  return text.slice(end).trim() === '' ? parameters : null;
}

/** The boundary of a form whose content type is plainly written; null where readers may disagree about it. */
export function plainBoundaryOf(contentType: string): string | null {
  const type = /^[ \t]*multipart\/form-data(?=[ \t]*;)/i.exec(contentType)?.[0];
  const parameters = type === undefined ? null : readParameters(contentType.slice(type.length));
  if (parameters === null) return null;
  for (const name of parameters.keys()) if (name.startsWith('boundary*')) return null;
  const boundary = parameters.get('boundary') ?? '';
  return /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/.test(boundary) ? boundary : null;
}

/** Where each part begins and ends; null where a line that looks like the boundary is none, or none ends the form. */
function frameParts(body: Buffer, boundary: string): readonly (readonly [number, number])[] | null {
  const delimiter = Buffer.from(`--${boundary}`);
  const parts: [number, number][] = [];
  let start = -1;
  for (let at = body.indexOf(delimiter); at !== -1; at = body.indexOf(delimiter, at + delimiter.length)) {
    // The same bytes anywhere else, or after a bare line feed, begin a part for some readers and not for others.
    if (start === -1 ? at !== 0 : at - 2 < start) return null;
    if (at > 0 && (body[at - 2] !== carriageReturn || body[at - 1] !== lineFeed)) return null;
    if (start !== -1) parts.push([start, at - 2]);
    if (parts.length > formPartsMax) return null;
    const after = at + delimiter.length;
    if (body[after] === dash && body[after + 1] === dash) return endsAt(body, after + 2) ? parts : null;
    if (body[after] !== carriageReturn || body[after + 1] !== lineFeed) return null;
    start = after + 2;
  }
  return null;
}

/** True when nothing but one line break follows. */
function endsAt(body: Buffer, at: number): boolean {
  const rest = body.length - at;
  return rest === 0 || (rest === 2 && body[at] === carriageReturn && body[at + 1] === lineFeed);
}

/** The part's header fields by name in lower case; null where they are not plainly written. */
function readHeaders(bytes: Buffer): ReadonlyMap<string, string> | null {
  if (bytes.length > partHeaderBytesMax || !isUtf8(bytes)) return null;
  const headers = new Map<string, string>();
  for (const line of bytes.toString('utf8').split(lineBreak)) {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)$/s.exec(line);
    const name = match?.[1]?.toLowerCase() ?? '';
    const value = match?.[2] ?? '';
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    if (name === '' || headers.has(name) || /[\x00-\x08\x0a-\x1f\x7f]/.test(value)) return null;
    headers.set(name, value);
  }
  return headers;
}

/** The name that `filename*` gives (RFC 8187); null where it is not readable as that. */
function extendedName(value: string): string | null {
  const encoded = /^utf-8'[a-z-]*'(.*)$/i.exec(value)?.[1];
  if (encoded === undefined) return null;
  try {
    return decodeURIComponent(encoded);
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

/**
 * The file's name: undefined for a field, null where readers may disagree about it. .NET always writes the
 * name twice, the second time as `filename*`; the first is then plain or a MIME encoded word.
 */
function fileNameOf(parameters: ReadonlyMap<string, string>): string | null | undefined {
  const plain = parameters.get('filename');
  const extended = parameters.get('filename*');
  // Some readers take a part with an empty file name for a field.
  if (plain === '') return null;
  if (extended === undefined) return plain;
  const name = extendedName(extended);
  if (name === null || name === '') return null;
  const agrees = plain === undefined || plain === name || plain.startsWith('=?');
  return agrees ? name : null;
}

interface PartHead {
  readonly name: string;
  readonly fileName: string | null;
  readonly contentType: string;
  readonly charset: string;
}

/** What a part says of itself, or why readers may disagree about it. */
function readHead(headers: ReadonlyMap<string, string>): PartHead | string {
  const disposition = headers.get('content-disposition') ?? '';
  const word = /^form-data(?=[ \t]*;)/i.exec(disposition)?.[0] ?? '';
  const parameters = word === '' ? null : readParameters(disposition.slice(word.length));
  if (parameters === null) return 'a part of the form has no plain content-disposition';
  const name = parameters.get('name') ?? '';
  // Percent signs, backslashes and blanks at the ends are undone by some readers.
  if (name === '' || /[\\%]|^\s|\s$/.test(name) || parameters.has('name*')) {
    return 'a part of the form has no plain name';
  }
  const fileName = fileNameOf(parameters);
  if (fileName === null) return 'a file of the form has no plain name';
  const encoding = headers.get('content-transfer-encoding')?.trim().toLowerCase() ?? 'binary';
  if (!['binary', '8bit', '7bit'].includes(encoding)) return 'a part of the form has a transfer encoding';
  const type = (headers.get('content-type') ?? '').trim().toLowerCase();
  const contentType = (type.split(';', 1)[0] ?? '').trim();
  if (contentType.startsWith('multipart/')) return 'a part of the form is itself a multipart body';
  if (fileName === undefined && contentType === 'application/octet-stream') {
    return 'a part of the form is a field to some readers and a file to others';
  }
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/.exec(type)?.[1] ?? 'utf-8';
  return { name, fileName: fileName ?? null, contentType, charset };
}

/** True where `headers`, a part's without the empty line that ends them, plainly are a file's. */
export function isPlainFile(headers: Buffer): boolean {
  const fields = readHeaders(headers);
  const head = fields === null ? '' : readHead(fields);
  return typeof head !== 'string' && head.fileName !== null;
}

/** A field's text; null where it depends on a character set that readers may not heed. */
function fieldText(content: Buffer, charset: string): string | null {
  if (content.length > fieldBytesMax) return null;
  // Java's clients name Latin-1 for texts that are plain ASCII, which reads the same in all of these.
  const isPlain = ['us-ascii', 'iso-8859-1', 'windows-1252'].includes(charset) && isAscii(content);
  if (!isPlain && (!['utf-8', 'utf8'].includes(charset) || !isUtf8(content))) return null;
  return content.toString('utf8');
}

function readPart(part: Buffer, defects: string[]): FormPart | null {
  const headEnd = part.indexOf(blankLine);
  const headers = headEnd === -1 ? null : readHeaders(part.subarray(0, headEnd));
  if (headers === null) {
    note(defects, 'the headers of a part of the form cannot be read');
    return null;
  }
  const head = readHead(headers);
  if (typeof head === 'string') {
    note(defects, head);
    return null;
  }
  const { charset, ...named } = head;
  const content = part.subarray(headEnd + blankLine.length);
  const bytes = content.length;
  if (named.fileName !== null) return { ...named, text: '', bytes, content };
  const text = fieldText(content, charset);
  if (text !== null) return { ...named, text, bytes, content };
  note(defects, 'a field of the form is too long or not in UTF-8');
  return null;
}

/** A field written twice has the first value for some readers and the last for others, unless its name says list. */
function checkRepetition(parts: readonly FormPart[], defects: string[]): void {
  const isFileByName = new Map<string, boolean>();
  for (const { name, fileName } of parts) {
    const before = isFileByName.get(name);
    const isFile = fileName !== null;
    isFileByName.set(name, isFile);
    if (before === undefined) continue;
    if (before !== isFile || !(isFile || name.endsWith('[]'))) {
      note(defects, `the form has the field ${JSON.stringify(name.slice(0, 80))} more than once`);
    }
  }
}

/**
 * Reads a whole form. The contents of files may have been left out of `body`. Where there
 * are defects the parts are what could be read of it, to show and not to trust.
 */
export function readForm(contentType: string, body: Buffer): FormReading {
  const boundary = plainBoundaryOf(contentType);
  if (boundary === null) return { parts: [], defects: ['the content type names no plain form boundary'] };
  const frames = frameParts(body, boundary);
  if (frames === null) return { parts: [], defects: ['the parts of the form cannot be told apart'] };
  const defects: string[] = [];
  const parts: FormPart[] = [];
  for (const [start, end] of frames) {
    const part = readPart(body.subarray(start, end), defects);
    if (part?.name === '_charset_') note(defects, 'the form chooses its own character set');
    if (part !== null) parts.push(part);
  }
  checkRepetition(parts, defects);
  return { parts, defects };
}
