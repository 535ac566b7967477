/**
 * The parts of a Gemini content (https://ai.google.dev/api/caching#Part): which ask for something to be done,
 * which say something, and what they say. Google reads every name in two spellings, `functionCall` and
 * `function_call`. Pure.
 */

import { saidInBytes } from '../reading/encoded-text.ts';
import { joined, note, textWithin } from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';

/** Say something about the data beside them. */
const annotations: ReadonlySet<string> = new Set([
  'thought',
  'thoughtSignature',
  'videoMetadata',
  'mediaResolution',
  'mediaProcessing',
  'partMetadata',
  'speechMetadata',
]);

const dataWithoutCall: ReadonlySet<string> = new Set([
  'text',
  'inlineData',
  'fileData',
  'functionResponse',
  'codeExecutionResult',
  'toolResponse',
  'audioTranscription',
]);

/** A name in the spelling of Google's documentation: `function_call` is `functionCall`. */
export function camelCased(name: string): string {
  return name.replace(/_+([a-z0-9])/g, (_whole, letter: string) => letter.toUpperCase());
}

export interface PartMember {
  /** As written. */
  readonly key: string;
  /** As documented. */
  readonly name: string;
  readonly value: unknown;
}

/** A part's data: one member by Google's schema, but what else stands there is read as well. */
export function dataOf(part: JsonRecord): readonly PartMember[] {
  const members: PartMember[] = [];
  for (const [key, value] of Object.entries(part)) {
    const name = camelCased(key);
    if (!isAbsent(value) && !annotations.has(name)) members.push({ key, name, value });
  }
  return members;
}

/** True for data that asks for something to be done; of an unknown kind it might. */
export function isCall(name: string): boolean {
  return !dataWithoutCall.has(name);
}

/** True for what a model thinks aloud. */
export function isThought(part: JsonRecord): boolean {
  return part['thought'] === true;
}

/** A member of an object in either spelling; both at once are a defect. */
export function memberOf(value: JsonRecord, name: string, defects: string[]): unknown {
  let found: unknown;
  for (const key of Object.keys(value)) {
    if (camelCased(key) !== name || isAbsent(value[key])) continue;
    if (found !== undefined) note(defects, `\`${name}\` is written twice, in two spellings`);
    found = value[key];
  }
  return found;
}

/** A list, or the single value Google's servers take for a list of one. */
export function listOf(value: unknown): readonly unknown[] {
  if (isAbsent(value)) return [];
  return Array.isArray(value) ? value : [value];
}

/** The words of a file within a part, where it is a text. */
export function fileText(value: unknown): string {
  return isRecord(value) ? saidInBytes(value) : '';
}

/** What a tool gave back: its words, and those of text files beside them. */
export function toolResponseText(value: unknown): string {
  if (!isRecord(value)) return textWithin(value);
  const { parts, ...said } = value;
  return joined(textWithin(said), partsText(parts));
}

function dataText({ name, value }: PartMember): string {
  switch (name) {
    case 'functionResponse':
      return toolResponseText(value);
    case 'text':
      return textOf(value);
    case 'inlineData':
      return fileText(value);
    case 'fileData':
    case 'functionCall':
    case 'toolCall':
      return '';
    default:
      return textWithin(value);
  }
}

/** Everything a model reads as text in a list of parts. */
export function partsText(parts: unknown): string {
  let text = '';
  for (const part of listOf(parts)) {
    if (!isRecord(part)) text = joined(text, textOf(part));
    else for (const member of dataOf(part)) text = joined(text, dataText(member));
  }
  return text;
}
