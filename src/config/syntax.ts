/**
 * The one mistake that keeps a text from being YAML, in words: where it is and what was expected there. What the parser
 * reports after its first error mostly follows from it, and where it gives up is often not where the slip is. Repeats
 * nothing of the text but marks such as quotes: there may be a secret in it. Pure.
 */
import { type Document, Lexer, type ParsedNode, visit, type YAMLError } from 'yaml';

export interface SyntaxMistake {
  /** In characters from the begin of the text. */
  readonly offset: number;
  readonly text: string;
}

/** What the lexer puts between the pieces of the text. */
const lexerMarks: ReadonlySet<string> = new Set(['\u0002', '\u0018', '\u001f']);
/** Of lists in lists that begin on one line. */
const listDepthMax = 64;

/** The cause of `errors`, which has at least one; they need no order. */
export function syntaxMistake(text: string, errors: readonly YAMLError[]): SyntaxMistake {
  const [first] = errors.toSorted((a, b) => a.pos[0] - b.pos[0]);
  if (first === undefined) throw new TypeError('there is no error to explain');
  const { code, message } = first;
  const offset = first.pos[0];
  switch (code) {
    case 'TAB_AS_INDENT':
      return { offset, text: 'is indented with a tab; expected spaces' };
    case 'DUPLICATE_KEY':
      return duplicateKey(text, contentFrom(text, offset));
    case 'BAD_INDENT':
    case 'MULTILINE_IMPLICIT_KEY':
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'BLOCK_IN_FLOW':
    case 'MISSING_CHAR':
      return unclosed(text, message) ?? structure(text, offset, message);
    case 'BAD_SCALAR_START':
      return { offset, text: `begins with ${text.charAt(offset)}; expected quotes around such a text` };
    case 'TAG_RESOLVE_FAILED':
      return { offset, text: 'begins with !, which makes it a tag; expected quotes around such a text' };
    case 'BAD_DQ_ESCAPE':
      return {
        offset,
        text: 'is no escape; in double quotes expected \\\\ for a backslash, or single quotes around the text',
      };
    case 'RESOURCE_EXHAUSTION':
      return { offset, text: 'is nested too deep; expected fewer levels' };
    case 'MULTIPLE_DOCS':
      return { offset, text: 'begins a second document; expected one in a file' };
    case 'UNEXPECTED_TOKEN':
      return unclosed(text, message) ?? unexpected(text, offset, message);
    default:
      return { offset, text: `is no YAML: ${message}` };
  }
}

/** `line:column`, from 1. What the parser counted ends where it gave up. */
export function placeIn(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `${before.length}:${(before.at(-1) ?? '').length + 1}`;
}

/** The first alias that names nothing; null where there is none. */
export function danglingAlias(document: Document.Parsed<ParsedNode>): SyntaxMistake | null {
  const anchors = new Set<string>();
  let found: SyntaxMistake | null = null;
  visit(document, {
    Node: (_, node) => {
      if ('anchor' in node && node.anchor !== undefined) anchors.add(node.anchor);
    },
    Alias: (_, { source, range }) => {
      if (anchors.has(source)) return undefined;
      found = {
        offset: range?.[0] ?? 0,
        text: 'begins with *, which makes it an alias; expected quotes around such a text',
      };
      return visit.BREAK;
    },
  });
  return found;
}

function unexpected(text: string, offset: number, message: string): SyntaxMistake {
  const before = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
  if (/^Unexpected (double-quoted-|single-quoted-)?scalar at node end/.test(message)) {
    const written = /: +'[^']*'$/.test(before.trimEnd())
      ? "(inside single quotes, '' is one)"
      : '(put single quotes around all of it, or write it below a |)';
    return { offset, text: `goes on after a quoted text; expected the end of the line ${written}` };
  }
  if (/[|>][-+0-9]*\s+$/.test(before))
    return { offset, text: 'stands on the line of | or >; expected the text on the lines below, indented' };
  return { offset, text: `is no YAML: ${message}` };
}

/** Two of one name, often because what belongs to different keys above is not indented. */
function duplicateKey(text: string, offset: number): SyntaxMistake {
  const lines = text.split('\n');
  const at = lineAt(text, offset);
  if (/^\s*-[^\s-]/.test(lines[at] ?? ''))
    return { offset, text: 'has no space after its -; expected "- " before each item of a list' };
  const column = indentOf(lines[at] ?? '');
  const above = contentLine(lines, at, -1);
  const parent = lines[above ?? -1];
  const isEmptyParent = parent !== undefined && indentOf(parent) === column && /:\s*(#.*)?$/.test(parent);
  if (isEmptyParent && above !== undefined)
    return {
      offset,
      text: `is a key for the second time in its map; expected it below line ${above + 1}, indented by ${spaces(column + 2)}`,
    };
  return { offset, text: 'is a key for the second time in its map; expected each key once' };
}

/** Where the quote or bracket opens that is never closed: the parser notices at the end of the file. */
function unclosed(text: string, message: string): SyntaxMistake | null {
  const isQuote = message.startsWith('Missing closing');
  const isBracket = /^Flow (map|sequence) in block collection|^Flow (map|sequence) must end/.test(message);
  if (!isQuote && !isBracket) return null;
  const open: { readonly mark: string; readonly offset: number }[] = [];
  let quote: { readonly mark: string; readonly offset: number } | undefined;
  let offset = 0;
  for (const token of new Lexer().lex(text)) {
    if (lexerMarks.has(token)) continue;
    const mark = token.charAt(0);
    if (token === '{' || token === '[') open.push({ mark, offset });
    else if (token === '}' || token === ']') open.pop();
    else if (mark === '"' || mark === "'") quote = { mark, offset };
    offset += token.length;
  }
  const found = isQuote ? quote : open.at(-1);
  if (found === undefined) return null;
  const closing = { '{': '}', '[': ']' }[found.mark] ?? found.mark;
  return { offset: found.offset, text: `opens with ${found.mark} and is not closed; expected ${closing}` };
}

/** Indentation, colons and lists: told by the line where the parser stopped, and those around it. */
function structure(text: string, offset: number, message: string): SyntaxMistake {
  const lines = text.split('\n');
  const at = lineAt(text, offset);
  const line = lines[at] ?? '';
  const start = startOf(lines, at) + indentOf(line);
  const content = line.trimStart().replace(/^(- +)+/, '');
  const isItem = /^- |^-$/.test(line.trimStart());
  const isMisplaced = /must start at the same column$|^Sequence item without|^A block sequence/.test(message);
  if (isMisplaced || (isItem && message === 'Nested mappings are not allowed in compact mappings')) {
    const fitting = openColumns(lines, at, isItem);
    const isAmongKeys = isItem && (fitting.length === 0 || fitting.includes(indentOf(line)));
    if (!isAmongKeys && !fitting.includes(indentOf(line)))
      return {
        offset: start,
        text: `is indented by ${spaces(indentOf(line))}; expected ${either(fitting)}, as lines above it are`,
      };
    if (isItem && isMisplaced)
      return {
        offset: start,
        text: 'is an item of a list among keys; expected "key: value", or the list indented below its key',
      };
  }
  if (/^[\w.-]+:[^\s/]/.test(content))
    return { offset: start, text: 'has no space after its colon; expected "key: value"' };
  if (!/:(\s|$)/.test(content))
    return { offset: start, text: 'has no colon; expected "key:" or "key: value"' };
  const below = contentLine(lines, at, 1);
  const next = lines[below ?? -1];
  const column = line.length - content.length;
  if (below !== undefined && next !== undefined && indentOf(next) > column && /:(\s|$)/.test(next))
    return {
      offset: startOf(lines, below) + indentOf(next),
      text: `is indented below line ${at + 1}, which has a value already; expected ${spaces(column)}, as there`,
    };
  const value = content.slice(content.indexOf(':') + 1).trim();
  if (!/^["'{[|>#]/.test(value) && /:(\s|$)/.test(value))
    return {
      offset,
      text: 'has a colon and a space in a value; expected quotes around the value, or it below a |',
    };
  return { offset, text: `is no YAML: ${message}` };
}

/** The columns at which lists, or else maps, begin that are open before this line, the outermost first. */
function openColumns(lines: readonly string[], before: number, ofLists: boolean): readonly number[] {
  let open: { readonly column: number; readonly isList: boolean }[] = [];
  for (const line of lines.slice(0, before)) {
    if (!isContent(line)) continue;
    let column = indentOf(line);
    open = open.filter((each) => each.column < column || (each.column === column && !each.isList));
    for (let rest = line.trimStart(), depth = 0; depth < listDepthMax; depth += 1) {
      const isList = rest.startsWith('- ');
      if (!open.some((each) => each.column === column && each.isList === isList))
        open.push({ column, isList });
      if (!isList) break;
      const inner = rest.slice(1).trimStart();
      column += rest.length - inner.length;
      rest = inner;
    }
  }
  return open.filter(({ isList }) => isList === ofLists).map(({ column }) => column);
}

function either(columns: readonly number[]): string {
  const last = columns.at(-1) ?? 0;
  return columns.length < 2 ? String(last) : `${columns.slice(0, -1).join(', ')} or ${last}`;
}

/** The nearest line before (-1) or after (1) that is neither blank nor a comment. */
function contentLine(lines: readonly string[], from: number, step: -1 | 1): number | undefined {
  for (let at = from + step; at >= 0 && at < lines.length; at += step)
    if (isContent(lines[at] ?? '')) return at;
  return undefined;
}

function isContent(line: string): boolean {
  return !/^\s*(#.*)?$/.test(line);
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

function startOf(lines: readonly string[], at: number): number {
  return lines.slice(0, at).reduce((offset, line) => offset + line.length + 1, 0);
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length - 1;
}

/** The first character from `offset` on that is neither white space nor of a comment. */
function contentFrom(text: string, offset: number): number {
  for (let at = offset; ; at = text.indexOf('\n', at)) {
    at += text.length - at - text.slice(at).trimStart().length;
    if (text.charAt(at) !== '#' || !text.includes('\n', at)) return at;
  }
}

function spaces(count: number): string {
  return `${count} space${count === 1 ? '' : 's'}`;
}
