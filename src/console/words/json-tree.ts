/**
 * JSON (RFC 8259) read without losing what the sender wrote: numbers keep their spelling, a repeated name stays
 * visible. What a reviewer reads must be what the workload's own parser gets, not what this browser makes of it. Pure.
 */
import { quotedText } from './text.ts';

export interface JsonMember {
  readonly name: string;
  readonly value: JsonTree;
  /** The object has the name twice; parsers differ in which one they take. */
  readonly repeated: boolean;
}

export type JsonTree =
  | { readonly kind: 'object'; readonly members: readonly JsonMember[] }
  | { readonly kind: 'list'; readonly items: readonly JsonTree[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'number' | 'boolean' | 'null'; readonly text: string };

/** Deeper values are shown as they were sent. */
const depthMax = 64;

/** The value of a JSON text; null when it is none, or nested too deep to lay out. */
export function readJson(source: string): JsonTree | null {
  try {
    JSON.parse(source);
  } catch {
    // Not JSON is an answer, not a failure: the caller shows the text as it is.
    return null;
  }
  const cursor = { source, at: 0 };
  return readValue(cursor, 0);
}

interface Cursor {
  readonly source: string;
  at: number;
}

/** The source is known to be valid, so the first character of a value says what it is. */
function readValue(cursor: Cursor, depth: number): JsonTree | null {
  if (depth > depthMax) return null;
  switch (nextCharacter(cursor)) {
    case '{':
      return readObject(cursor, depth);
    case '[':
      return readList(cursor, depth);
    case '"':
      return { kind: 'text', text: readText(cursor) };
    default:
      return readWord(cursor);
  }
}

function nextCharacter(cursor: Cursor): string {
  while (' \t\n\r'.includes(cursor.source[cursor.at] ?? 'x')) cursor.at += 1;
  return cursor.source[cursor.at] ?? '';
}

function readObject(cursor: Cursor, depth: number): JsonTree | null {
  const members: { name: string; value: JsonTree }[] = [];
  const counts = new Map<string, number>();
  cursor.at += 1;
  while (nextCharacter(cursor) !== '}') {
    if (nextCharacter(cursor) === ',') cursor.at += 1;
    nextCharacter(cursor);
    const name = readText(cursor);
    nextCharacter(cursor);
    cursor.at += 1;
    const value = readValue(cursor, depth + 1);
    if (value === null) return null;
    members.push({ name, value });
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  cursor.at += 1;
  return {
    kind: 'object',
    members: members.map((member) => ({ ...member, repeated: (counts.get(member.name) ?? 0) > 1 })),
  };
}

function readList(cursor: Cursor, depth: number): JsonTree | null {
  const items: JsonTree[] = [];
  cursor.at += 1;
  while (nextCharacter(cursor) !== ']') {
    if (nextCharacter(cursor) === ',') cursor.at += 1;
    const value = readValue(cursor, depth + 1);
    if (value === null) return null;
    items.push(value);
  }
  cursor.at += 1;
  return { kind: 'list', items };
}

function readText(cursor: Cursor): string {
  const start = cursor.at;
  let end = start + 1;
  while (cursor.source[end] !== '"') end += cursor.source[end] === '\\' ? 2 : 1;
  cursor.at = end + 1;
  return String(JSON.parse(cursor.source.slice(start, cursor.at)));
}

function readWord(cursor: Cursor): JsonTree {
  const start = cursor.at;
  while (/[^\s,\]}]/.test(cursor.source[cursor.at] ?? ' ')) cursor.at += 1;
  const text = cursor.source.slice(start, cursor.at);
  if (text === 'null') return { kind: 'null', text };
  return { kind: text === 'true' || text === 'false' ? 'boolean' : 'number', text };
}

/** How many values there are inside, lists and objects among them: each takes a line. */
export function countOf(tree: JsonTree): number {
  let count = 0;
  for (const value of valuesIn(tree)) count += 1 + countOf(value);
  return count;
}

function valuesIn(tree: JsonTree): readonly JsonTree[] {
  if (tree.kind === 'object') return tree.members.map(({ value }) => value);
  return tree.kind === 'list' ? tree.items : [];
}

/** Laid out over lines, two spaces deep; characters without a shape are escaped. Reads back as the same value. */
export function printJson(tree: JsonTree, indent = ''): string {
  const deeper = `${indent}  `;
  switch (tree.kind) {
    case 'object':
      if (tree.members.length === 0) return '{}';
      return `{\n${tree.members
        .map(({ name, value }) => `${deeper}${quotedText(name)}: ${printJson(value, deeper)}`)
        .join(',\n')}\n${indent}}`;
    case 'list':
      if (tree.items.length === 0) return '[]';
      return `[\n${tree.items.map((item) => `${deeper}${printJson(item, deeper)}`).join(',\n')}\n${indent}]`;
    case 'text':
      return quotedText(tree.text);
    default:
      return tree.text;
  }
}

/** A JSON text laid out; the text as it is when it is no JSON. */
export function laidOut(source: string): string {
  const tree = readJson(source);
  return tree === null ? source : printJson(tree);
}

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 20 });

/** A number of five digits and more with its thousands set apart, '' where that says nothing new. */
export function groupedNumber(text: string): string {
  if (!/^-?\d{5,15}(\.\d{1,4})?$/.test(text)) return '';
  const [whole = '', fraction] = text.split('.');
  return fraction === undefined
    ? grouped.format(Number(whole))
    : `${grouped.format(Number(whole))}.${fraction}`;
}
