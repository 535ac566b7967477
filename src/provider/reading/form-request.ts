/**
 * Requests that are forms: their words, their model, and all else, names of files included, as parameters. What
 * the files hold is not read. Pure; hostile bytes in, facts and defects out.
 */

import type { RequestHead, RequestReading } from '../protocol.ts';
import { type FormPart, readForm } from './multipart.ts';
import { joined, note, unreadRequest } from './reading.ts';

/** Which members of a body are words, and to whom. All others are parameters. */
export interface TextMembers {
  /** Instructions to the model. */
  readonly system: readonly string[];
  /** What it works on; null for every text anywhere in the body. */
  readonly text: readonly string[] | null;
}

const paramsElsewhere: readonly string[] = ['model', 'stream'];

/** The facts of a request that says `system` and `text`. */
export function textFacts(
  said: { readonly model: string; readonly stream: boolean; readonly system: string; readonly text: string },
  params: Readonly<Record<string, unknown>>,
) {
  const { model, stream, system, text } = said;
  const messages = text === '' ? [] : [{ role: 'user', text, toolCalls: [] }];
  return { model, stream, params, system, messages, text: joined(system, text), tools: [] };
}

/** What a form's fields and files say by name: the text, or the name of the file; several joined by newlines. */
function formValues(parts: readonly FormPart[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const { name, text, fileName } of parts) {
    const key = name.endsWith('[]') ? name.slice(0, -2) : name;
    values.set(key, joined(values.get(key) ?? '', fileName ?? text));
  }
  return values;
}

/** Reads a form. An empty body asks for nothing: no defect. */
export function readFormRequest(
  bytes: Buffer,
  head: RequestHead,
  members: TextMembers = { system: [], text: [] },
): RequestReading {
  if (bytes.length === 0) return unreadRequest('');
  const form = readForm(head.contentType, bytes);
  const defects = [...form.defects];
  for (const { name, fileName } of form.parts) {
    const isWord = paramsElsewhere.includes(name) || members.text?.includes(name) === true;
    if (isWord && fileName !== null) note(defects, `the field ${JSON.stringify(name)} is a file`);
  }
  const values = formValues(form.parts);
  const stream = values.get('stream') ?? '';
  // A form has only texts, and what else counts as true differs from server to server.
  if (!['', 'true', 'false'].includes(stream)) note(defects, '`stream` is neither true nor false');
  let system = '';
  let text = '';
  for (const name of members.system) system = joined(system, values.get(name) ?? '');
  for (const [name, value] of values) {
    if (members.text === null ? name !== 'model' : members.text.includes(name)) text = joined(text, value);
  }
  const words = new Set([...paramsElsewhere, ...members.system, ...(members.text ?? []), '__proto__']);
  const params = Object.fromEntries([...values].filter(([name]) => !words.has(name)));
  const said = { model: values.get('model') ?? '', stream: stream === 'true', system, text };
  return { facts: textFacts(said, params), defects };
}
