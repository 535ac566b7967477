/**
 * YAML 1.2 text to a checked value, with the place of every mistake: `file:line:column path: what is
 * wrong; what would be right`. Used by the configuration and by the policy file, so it knows neither.
 * Pure; reads no files. Duplicate keys, unknown tags and several documents in one file are mistakes.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { type ErrorCode, HoldpointError } from '../core/errors.ts';
import type { YamlPath } from './accepted-keys.ts';
import { describeIssues, type Problem } from './issues.ts';
import { danglingAlias, placeIn, syntaxMistake } from './syntax.ts';

export const yamlBytesMax = 1_048_576;
/** A file with a thousand mistakes is one mistake; the rest is noise. */
const problemsMax = 50;

export type YamlErrorCode = Extract<ErrorCode, 'config_invalid' | 'policy_invalid'>;
export interface YamlFile<T> {
  readonly value: T;
  /** Makes the error that names each problem's line, for checks that come after the schema's own. */
  invalid(problems: readonly Problem[]): HoldpointError;
}

/**
 * Parses `text` and checks it against `schema`.
 * @param file the name that error messages show; it is not opened
 * @throws HoldpointError with `code`; its message has one line for each problem
 */
export function readYaml<T>(file: string, text: string, schema: z.ZodType<T>, code: YamlErrorCode): T {
  return openYaml(file, text, schema, code).value;
}

/** As `readYaml`, and keeps the positions for checks of the caller's own. */
export function openYaml<T>(
  file: string,
  text: string,
  schema: z.ZodType<T>,
  code: YamlErrorCode,
): YamlFile<T> {
  const next = `Correct ${file} and try again.`;
  if (Buffer.byteLength(text) > yamlBytesMax) {
    throw new HoldpointError(code, `${file}: larger than ${yamlBytesMax} bytes`, next);
  }
  const lines = new LineCounter();
  // What the library would warn of on stderr, quoting the file, is refused or taken here like everything else.
  const document = parseDocument(text, {
    lineCounter: lines,
    version: '1.2',
    strict: true,
    prettyErrors: false,
    logLevel: 'error',
  });
  const fail = (found: readonly string[]): HoldpointError => {
    const more = found.length > problemsMax ? [`${file}: and ${found.length - problemsMax} more`] : [];
    return new HoldpointError(code, [...found.slice(0, problemsMax), ...more].join('\n'), next);
  };
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };

  // Of 1.1 yes would be true and 010 eight; what the environment sets would go into no map, and be lost.
  if (document.directives.yaml.version !== '1.2')
    throw fail([`${file}:1:1 begins with %YAML, of another version than 1.2; expected no such line`]);
  const syntax = [...document.errors, ...document.warnings];
  const broken = syntax.length > 0 ? syntaxMistake(text, syntax) : danglingAlias(document);
  if (broken !== null) throw fail([`${file}:${placeIn(text, broken.offset)} ${broken.text}`]);

  const invalid = (problems: readonly Problem[]): HoldpointError =>
    fail(
      problems
        .map((problem) => ({ ...problem, offset: offsetOf(document, problem) }))
        .sort((a, b) => a.offset - b.offset)
        .map(({ offset, path, text: what }) => `${at(offset)} ${pathText(path)}: ${what}`),
    );
  // Comments alone leave out every key, which somebody may mean; a file of nothing was cut off.
  const input =
    document.contents === null && text.trim() !== ''
      ? {}
      : toValue(document, (message) => fail([`${file}:1:1 ${message}`]));
  const parsed = schema.safeParse(input, { reportInput: true });
  if (parsed.success) return { value: parsed.data, invalid };
  // What a schema accepts is only needed to explain a refusal.
  const accepted = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  throw invalid(describeIssues(parsed.error.issues, accepted, input));
}

function toValue(document: Document.Parsed, fail: (message: string) => HoldpointError): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    // The library refuses alias bombs here and nowhere earlier.
    throw fail(error instanceof Error ? error.message : 'cannot be read');
  }
}

/** The offset of the deepest node on the path that exists: a missing key is shown where its map begins. */
function offsetOf(document: Document.Parsed, { path, key }: Problem): number {
  let node: unknown = document.contents;
  let offset = rangeStart(node) ?? 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find((item) => keyText(item.key) === String(step));
      if (pair === undefined) return offset;
      offset = rangeStart(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      const item: unknown = node.items[Number(step)];
      if (item === undefined) return offset;
      offset = rangeStart(item) ?? offset;
      node = item;
    } else return offset;
  }
  return isScalar(node) && key !== true ? (rangeStart(node) ?? offset) : offset;
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}

function rangeStart(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return;
  const start: unknown = node.range[0];
  return typeof start === 'number' ? start : undefined;
}

/** `rules[3].hold.expiresIn`; '' is the whole file. */
function pathText(path: YamlPath): string {
  let text = '';
  for (const step of path)
    text += typeof step === 'number' ? `[${step}]` : `${text === '' ? '' : '.'}${String(step)}`;
  // A key may be over several lines; what is said of it is one.
  text = text.replaceAll(/\s+/g, ' ').trim();
  return text === '' ? '(top level)' : text;
}
