/** What a reviewer edits, what of it would be sent, and what it changes. Pure. */

import type { Exchange } from '../answers/exchange-data.ts';
import type { HoldSummary } from '../answers/hold-data.ts';
import { isShape } from '../answers/shape.ts';
import { differenceOf, isChanged, type LineChange } from '../words/difference.ts';
import { laidOut, readJson } from '../words/json-tree.ts';

/** One thing to edit. */
export interface Editable {
  /** Position among all, the key of its draft. */
  readonly key: string;
  readonly target: 'text' | 'arguments' | 'body';
  /** The tool call's id; '' for the others. */
  readonly callId: string;
  readonly label: string;
  /** As the editor shows it first. */
  readonly source: string;
  readonly language: 'json' | 'text';
}

export type Drafts = Readonly<Record<string, string>>;

export interface Edited {
  readonly editable: Editable;
  /** Why it cannot be sent; '' when it can. */
  readonly problem: string;
  /** From what is held to what would be sent. */
  readonly lines: readonly LineChange[];
  readonly changed: boolean;
  /** The value that would be sent. */
  readonly value: unknown;
}

/** What there is to edit: the whole body of a request; the calls and the text of an answer. */
export function editablesOf(hold: HoldSummary, exchange: Exchange): readonly Editable[] {
  const { request, response } = exchange;
  if (hold.phase === 'request' || response === null) {
    const source = laidOut(request.raw.body);
    return [{ key: 'body', target: 'body', callId: '', label: 'Request body', source, language: 'json' }];
  }
  const calls = response.toolCalls.map(
    (call, i): Editable => ({
      key: `call-${i}`,
      target: 'arguments',
      callId: call.id,
      label: `Arguments of ${call.name}`,
      source: laidOut(call.argumentsText),
      language: 'json',
    }),
  );
  const text: Editable = {
    key: 'text',
    target: 'text',
    callId: '',
    label: 'Text of the answer',
    source: response.text,
    language: 'text',
  };
  return calls.length > 0 && response.text === '' ? calls : [...calls, text];
}

/** What a draft would do. The difference is to the value as it will be sent, so a number that JSON cannot keep shows. */
export function editedOf(editable: Editable, draft: string): Edited {
  const nothing = { editable, lines: [], changed: false, value: undefined };
  if (editable.language === 'text') {
    const lines = differenceOf(editable.source, draft);
    return { editable, problem: '', lines, changed: isChanged(lines), value: draft };
  }
  if (draft === editable.source) return { ...nothing, problem: '' };
  let value: unknown;
  try {
    value = JSON.parse(draft);
  } catch (error) {
    return { ...nothing, problem: `Not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  const mustBeObject = editable.target === 'body' || readJson(editable.source)?.kind === 'object';
  if (mustBeObject && !isShape(value)) return { ...nothing, problem: 'It must stay a JSON object.' };
  const lines = differenceOf(editable.source, laidOut(JSON.stringify(value)));
  return { editable, problem: '', lines, changed: isChanged(lines), value };
}

/** The amendment to send; a text says why there is none. */
export function amendmentOf(edits: readonly Edited[]): Readonly<Record<string, unknown>> | string {
  const broken = edits.find(({ problem }) => problem !== '');
  if (broken !== undefined) return `${broken.editable.label}: ${broken.problem}`;
  const changed = edits.filter((edit) => edit.changed);
  if (changed.length === 0) return 'Nothing is changed yet.';
  const of = (target: Editable['target']): readonly Edited[] =>
    changed.filter(({ editable }) => editable.target === target);
  const [body] = of('body');
  if (body !== undefined) return { body: body.value };
  const [text] = of('text');
  const calls = of('arguments').map(({ editable, value }) => ({ id: editable.callId, arguments: value }));
  return {
    ...(text === undefined ? {} : { text: text.value }),
    ...(calls.length === 0 ? {} : { toolCalls: calls }),
  };
}
