/**
 * Takes the values of named members out of JSON text and leaves every other byte as it was. Made for text that
 * others wrote: several values one after another, lines between them that are none, an end that is missing. What
 * stands where a name leads is removed whole, its texts and numbers, all but what a member `type` says. Pure.
 */
import { addressWithout } from '../../core/address-keys.ts';
import { stringEnd } from './json.ts';

/** A step on the way to what is removed. */
export interface Step {
  readonly members: Map<string, Step>;
  /** What stands here is removed. */
  removed: boolean;
  /** Of an address that stands here, what it may carry as a key is. */
  isAddress: boolean;
}

/** Stands for any member and any element. */
const any = '*';
/** Kinds of credentials; not credentials. */
const keptName = 'type';

/** Providers take `dataSources` and `data_sources`, and some any case. */
function plainName(name: string): string {
  return name.toLowerCase().replaceAll('_', '');
}

/** The steps of paths such as `tools.*.authorization`, from the outermost value on; `tools.*.url?` leads to an address. */
export function stepsOf(paths: readonly string[]): Step {
  const newStep = (): Step => ({ members: new Map(), removed: false, isAddress: false });
  const root = newStep();
  for (const path of paths) {
    const isAddress = path.endsWith('?');
    let step = root;
    for (const name of (isAddress ? path.slice(0, -1) : path).split('.').map(plainName)) {
      const next = step.members.get(name) ?? newStep();
      step.members.set(name, next);
      step = next;
    }
    step[isAddress ? 'isAddress' : 'removed'] = true;
  }
  return root;
}

interface Frame {
  readonly isObject: boolean;
  readonly steps: readonly Step[];
  readonly isRemoved: boolean;
  /** Of an object: the next text is a member's name. */
  atName: boolean;
  /** Where the value that comes next stands. */
  next: { readonly steps: readonly Step[]; readonly isRemoved: boolean };
}

/** The address as it is written in JSON, without keys. */
function addressWrittenWithout(written: string, mark: string): string {
  const address = readText(written);
  // Cut off, it does not say what in it is a key: what stands before a host ends with an `@` that is not there any more.
  if (address === null) return JSON.stringify(mark);
  const safe = addressWithout(address, mark);
  return safe === address ? written : JSON.stringify(safe);
}

/** A text as it is written in JSON; null for one that is not whole. */
function readText(written: string): string | null {
  try {
    return String(JSON.parse(written));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function below(steps: readonly Step[], name: string): readonly Step[] {
  if (steps.length === 0) return steps;
  return steps.flatMap(({ members }) => {
    const found = name === any ? [members.get(any)] : [members.get(name), members.get(any)];
    return found.filter((step) => step !== undefined);
  });
}

function nextIn(frame: Pick<Frame, 'steps' | 'isRemoved'>, name: string): Frame['next'] {
  const steps = below(frame.steps, name);
  const isRemoved = name !== keptName && (frame.isRemoved || steps.some(({ removed }) => removed));
  return { steps, isRemoved };
}

function nameOf(written: string): string {
  const text = written.slice(1, -1);
  if (!text.includes('\\')) return plainName(text);
  try {
    return plainName(String(JSON.parse(written)));
  } catch {
    // Cut off, or no JSON: such a name leads nowhere.
    return '';
  }
}

/** At the start of a line, or of the data of a server-sent event. What ends a line is no space: a run of it is looked at once. */
const whereValueBegins = /(?:^|[\r\n])(?:data:)?[ \t\ufeff\u00bb\u00bf\u00ef]*[[{]/g;
const number = /-?[0-9][0-9.eE+-]*/y;

/**
 * `text` (bytes as Latin-1) with `mark` for every value removed, and how many those are. A text of which
 * `isKept`, as it is written, stays where it is.
 */
export function withoutMembers(
  text: string,
  root: Step,
  mark: string,
  isKept: (written: string) => boolean = () => false,
): { readonly text: string; readonly removed: number } {
  const pieces: string[] = [];
  let copied = 0;
  let removed = 0;
  const put = (start: number, end: number, instead: string): void => {
    pieces.push(text.slice(copied, start), instead);
    copied = end;
    removed += 1;
  };
  const remove = (start: number, end: number): void => put(start, end, JSON.stringify(mark));
  const removeKeys = (start: number, end: number): void => {
    const written = text.slice(start, end);
    const safe = addressWrittenWithout(written, mark);
    if (safe !== written) put(start, end, safe);
  };
  const outermost: Frame['next'] = { steps: [root], isRemoved: root.removed };
  const begin = (code: string, { steps, isRemoved }: Frame['next']): Frame => {
    const isObject = code === '{';
    return { isObject, steps, isRemoved, atName: isObject, next: nextIn({ steps, isRemoved }, any) };
  };
  let at = 0;
  for (;;) {
    whereValueBegins.lastIndex = at;
    const start = whereValueBegins.exec(text);
    if (start === null) break;
    at = whereValueBegins.lastIndex;
    const open: Frame[] = [begin(text[at - 1] ?? '', outermost)];
    for (let frame = open.at(-1); frame !== undefined && at < text.length; frame = open.at(-1)) {
      const code = text[at] ?? '';
      if (code === '"') {
        const end = stringEnd(text, at + 1);
        if (frame.atName) frame.next = nextIn(frame, nameOf(text.slice(at, end)));
        else if (frame.next.isRemoved) {
          if (!isKept(text.slice(at, end))) remove(at, end);
        } else if (frame.next.steps.some(({ isAddress }) => isAddress)) removeKeys(at, end);
        frame.atName = false;
        at = end;
        continue;
      }
      if (frame.next.isRemoved && !frame.atName) {
        number.lastIndex = at;
        if (number.test(text)) {
          remove(at, number.lastIndex);
          at = number.lastIndex;
          continue;
        }
      }
      if (code === '{' || code === '[') open.push(begin(code, frame.next));
      else if (code === '}' || code === ']') open.pop();
      else if (code === ',') frame.atName = frame.isObject;
      at += 1;
    }
  }
  if (removed === 0) return { text, removed };
  pieces.push(text.slice(copied));
  return { text: pieces.join(''), removed };
}
