/** What a part of a rule read, in short and with its place: of a search, what was found. Pure. */
import type { Place } from './functions.ts';
import { escaped, type Workbench } from './part-evaluation.ts';
import { type ASTNode, children, comprehensions } from './syntax.ts';
import type { Scope } from './writing.ts';

export interface PartValue {
  /** JSON Pointer (RFC 6901) into the facts, such as `/response/toolCalls/0/arguments/amount`; '' where it is no one place. */
  readonly path: string;
  /** A text as it is, anything else as JSON; of a long one `valueCharsMax` characters, the match among them. */
  readonly value: string;
}

export const valueCharsMax = 200;
/** Of what a search found, so much of what stands before it is shown. */
const charsBefore = 60;
const valuesMax = 4;
/** Texts inside a value that a search is tried on, to say in which it was found. */
const textsTriedMax = 1_000;

export function valuesOf(node: ASTNode, scope: Scope, is: boolean, bench: Workbench): readonly PartValue[] {
  const search = is ? searchOf(node, bench) : null;
  const found = search === null ? null : foundBy(search, scope, bench);
  if (found !== null) return [found];
  const values = new Map<string, PartValue>();
  for (const read of readIn(node, scope)) {
    const text = bench.text(read, scope);
    if (values.size >= valuesMax || values.has(text)) continue;
    const shown = bench.shown.get(text) ?? shownValue(bench.evaluate(text));
    bench.shown.set(text, shown);
    if (shown !== null) values.set(text, { path: bench.pointer(read, scope) ?? '', value: shown });
  }
  return [...values.values()];
}

interface Search {
  readonly subject: ASTNode;
  readonly placeIn: (text: string) => Place | null;
}

/** `re2(subject, pattern)` or `subject.contains(text)`. */
function searchOf(node: ASTNode, { workings }: Workbench): Search | null {
  if (node.op === 'call' && node.args[0] === 're2') {
    const [subject, pattern] = node.args[1];
    if (subject === undefined || pattern?.op !== 'value' || typeof pattern.args !== 'string') return null;
    const { args: source } = pattern;
    return { subject, placeIn: (text) => workings.placeOf(source, text) };
  }
  if (node.op !== 'rcall' || node.args[0] !== 'contains') return null;
  const [, subject, [wanted]] = node.args;
  if (wanted?.op !== 'value' || typeof wanted.args !== 'string') return null;
  const { args: piece } = wanted;
  const placeIn = (text: string): Place | null => {
    const start = text.indexOf(piece);
    return start === -1 ? null : { start };
  };
  return { subject, placeIn };
}

function foundBy({ subject, placeIn }: Search, scope: Scope, bench: Workbench): PartValue | null {
  const text = bench.evaluate(bench.text(subject, scope));
  const place = typeof text === 'string' ? placeIn(text) : null;
  if (typeof text !== 'string' || place === null) return null;
  const reads = readIn(subject, scope);
  const [read] = reads;
  const path = read === undefined || reads.length > 1 ? null : bench.pointer(read, scope);
  if (read === undefined || path === null) return { path: '', value: excerpt(text, place) };
  const inside = textsIn(bench.evaluate(bench.text(read, scope)), path);
  for (const { path: at, text: piece } of inside) {
    const where = placeIn(piece);
    if (where !== null) return { path: at, value: excerpt(piece, where) };
  }
  return { path, value: excerpt(text, place) };
}

/** The texts inside a list or map with their places. */
function textsIn(value: unknown, path: string): { readonly path: string; readonly text: string }[] {
  const texts: { path: string; text: string }[] = [];
  const open: { path: string; value: unknown }[] = [{ path, value }];
  for (let item = open.shift(); item !== undefined; item = open.shift()) {
    if (typeof item.value === 'string' && item.path !== path)
      texts.push({ path: item.path, text: item.value });
    if (typeof item.value !== 'object' || item.value === null) continue;
    for (const [name, below] of Object.entries(item.value)) {
      if (texts.length + open.length >= textsTriedMax) break;
      open.push({ path: `${item.path}/${escaped(name)}`, value: below });
    }
  }
  return texts;
}

/** What of the facts a part reads: every access, whole. Inside a list that is walked, the list. */
function readIn(node: ASTNode, scope: Scope): ASTNode[] {
  if (node.op === '.' || node.op === '[]') return [node];
  if (node.op === 'id') return node.args === 'labels' || scope.has(node.args) ? [node] : [];
  if (node.op === 'rcall' && comprehensions.has(node.args[0])) return readIn(node.args[1], scope);
  return children(node).flatMap((child) => readIn(child, scope));
}

/** Null for what has no value. */
function shownValue(value: unknown): string | null {
  if (value === undefined) return null;
  const text = typeof value === 'string' ? value : jsonOf(value);
  return excerpt(text, { start: 0 });
}

function jsonOf(value: unknown): string {
  return typeof value === 'bigint'
    ? String(value)
    : (JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? Number(inner) : inner)) ??
        '');
}

/** The text, or so much of it around the place as may be shown; never half a character. */
function excerpt(text: string, { start }: Place): string {
  if (text.length <= valueCharsMax) return text;
  let from = Math.max(0, Math.min(start - charsBefore, text.length - valueCharsMax));
  let to = from + valueCharsMax;
  if (isLowSurrogate(text, from)) from += 1;
  if (isLowSurrogate(text, to)) to -= 1;
  return `${from > 0 ? '…' : ''}${text.slice(from, to)}${to < text.length ? '…' : ''}`;
}

function isLowSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff;
}
