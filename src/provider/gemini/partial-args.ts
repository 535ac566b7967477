/**
 * Puts together the arguments of a function call that Gemini streams value by value, each with the JSON path
 * it belongs at (PartialArg, https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/Content).
 * Where two clients could put them together differently, that is a defect. Pure.
 */
import { isAbsent, isRecord, type JsonRecord } from '../wire/json.ts';

type Segment = string | number;

type Node =
  | { readonly kind: 'object'; readonly members: Map<string, Node> }
  | { readonly kind: 'list'; readonly items: Node[] }
  | { readonly kind: 'text'; text: string; open: boolean }
  | { readonly kind: 'scalar'; readonly json: string };

export interface PartialArguments {
  /** Takes one element of `partialArgs`; returns why it cannot be read, or ''. */
  apply(arg: unknown): string;
  /** The arguments so far as a JSON text. */
  text(): string;
}

const segmentsMax = 64;
const pathCharsMax = 4_096;
const valueMembers = ['stringValue', 'numberValue', 'boolValue', 'nullValue'] as const;
const knownMembers: ReadonlySet<string> = new Set([...valueMembers, 'jsonPath', 'willContinue']);
/** One step of a path: `.name`, `[0]`, `['name']` or `["name"]`. */
const step = /\.([^.[\]'"]+)|\[(\d{1,9})\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/sy;

/** The steps of a JSON path (RFC 9535, singular queries only); null for anything else. */
function parsePath(path: string): readonly Segment[] | null {
  if (!path.startsWith('$') || path.length > pathCharsMax) return null;
  const segments: Segment[] = [];
  step.lastIndex = 1;
  while (step.lastIndex < path.length) {
    const match = step.exec(path);
    if (match === null || segments.length >= segmentsMax) {
      step.lastIndex = 0;
      return null;
    }
    const [, name, index, single, double] = match;
    if (index !== undefined) segments.push(Number(index));
    else segments.push(name ?? (single ?? double ?? '').replace(/\\(.)/gs, '$1'));
  }
  step.lastIndex = 0;
  return segments;
}

function childOf(node: Node, segment: Segment): Node | undefined {
  if (node.kind === 'object') return typeof segment === 'string' ? node.members.get(segment) : undefined;
  return node.kind === 'list' && typeof segment === 'number' ? node.items[segment] : undefined;
}

/** False where the node cannot have such a child, or a list would get a hole. */
function setChild(node: Node, segment: Segment, child: Node): boolean {
  if (node.kind === 'object' && typeof segment === 'string') {
    node.members.set(segment, child);
    return true;
  }
  if (node.kind !== 'list' || segment !== node.items.length) return false;
  node.items.push(child);
  return true;
}

function emptyFor(segment: Segment): Node {
  return typeof segment === 'number' ? { kind: 'list', items: [] } : { kind: 'object', members: new Map() };
}

function render(node: Node): string {
  switch (node.kind) {
    case 'object': {
      const members = [...node.members].map(([key, child]) => `${JSON.stringify(key)}:${render(child)}`);
      return `{${members.join(',')}}`;
    }
    case 'list':
      return `[${node.items.map(render).join(',')}]`;
    case 'text':
      return JSON.stringify(node.text);
    case 'scalar':
      return node.json;
  }
}

/** The value an element carries; null for none, undefined where it cannot be read. */
function carriedBy(arg: JsonRecord): Node | null | undefined {
  // A null is written as `NULL_VALUE` or as null itself.
  const given = valueMembers.filter((name) => (name === 'nullValue' ? name in arg : !isAbsent(arg[name])));
  if (given.length > 1) return undefined;
  const { stringValue, numberValue, boolValue } = arg;
  switch (given[0]) {
    case 'stringValue':
      if (typeof stringValue !== 'string') return undefined;
      return { kind: 'text', text: stringValue, open: arg['willContinue'] === true };
    case 'numberValue':
      return typeof numberValue === 'number' ? { kind: 'scalar', json: String(numberValue) } : undefined;
    case 'boolValue':
      return typeof boolValue === 'boolean' ? { kind: 'scalar', json: String(boolValue) } : undefined;
    case 'nullValue':
      return { kind: 'scalar', json: 'null' };
    default:
      return null;
  }
}

const unread = 'the argument text of a tool call is streamed in a form that clients may read differently';

/** Starts with no arguments. */
export function createPartialArguments(): PartialArguments {
  const root: Node = emptyFor('');

  /** The node that holds the last segment's value, made on the way; null where the path does not fit. */
  function holderOf(segments: readonly Segment[]): Node | null {
    let node = root;
    for (let i = 0; i + 1 < segments.length; i += 1) {
      const segment = segments[i] ?? '';
      let child = childOf(node, segment);
      if (child === undefined) {
        child = emptyFor(segments[i + 1] ?? '');
        if (!setChild(node, segment, child)) return null;
      }
      node = child;
    }
    return node;
  }

  /** An element without a value ends a text or a list, or stands for an empty one or an empty object. */
  function endOrEmpty(holder: Node, last: Segment, isList: boolean, goesOn: boolean): string {
    const existing = childOf(holder, last);
    if (existing === undefined) {
      if (goesOn) return '';
      return setChild(holder, last, emptyFor(isList ? 0 : '')) ? '' : unread;
    }
    if (existing.kind === 'text' && !goesOn) existing.open = false;
    return isList && existing.kind !== 'list' ? unread : '';
  }

  function apply(arg: unknown): string {
    if (!isRecord(arg) || typeof arg['jsonPath'] !== 'string') return unread;
    if (Object.keys(arg).some((name) => !knownMembers.has(name))) return unread;
    const isList = arg['jsonPath'].endsWith('[]');
    const segments = parsePath(isList ? arg['jsonPath'].slice(0, -2) : arg['jsonPath']);
    const value = carriedBy(arg);
    const last = segments?.at(-1);
    if (segments === null || value === undefined) return unread;
    if (last === undefined) return value === null ? '' : unread;
    const holder = holderOf(segments);
    if (holder === null) return unread;
    if (value === null) return endOrEmpty(holder, last, isList, arg['willContinue'] === true);
    const existing = childOf(holder, last);
    if (isList) return unread;
    if (existing === undefined) return setChild(holder, last, value) ? '' : unread;
    if (existing.kind !== 'text' || value.kind !== 'text' || !existing.open) return unread;
    existing.text += value.text;
    existing.open = value.open;
    return '';
  }

  return { apply, text: () => render(root) };
}
