/**
 * One rule's `when`, from text to a function over facts. The only importer of the CEL library, which it keeps
 * behind two promises: what loads is type-checked and bounded, and what runs gives a bool or throws.
 * CEL: https://github.com/google/cel-spec. Pure.
 */
import {
  type ASTNode,
  TypeError as CelTypeError,
  Environment,
  EvaluationError,
  ParseError,
} from '@marcbachmann/cel-js';
import { messageOf } from '../core/errors.ts';
import {
  addPattern,
  noPatterns,
  num,
  type Patterns,
  type Place,
  placeOfRe2,
  re2,
  texts,
  words,
} from './functions.ts';
import type { Phase } from './policy.ts';
import { presence, presenceSignature, withPresence } from './presence.ts';
import { nodesMax, RuleRefused, type RuleSyntax, readSyntax } from './syntax.ts';
import {
  MessageView,
  RequestView,
  ResponseView,
  ToolCallView,
  ToolView,
  UsageView,
  type Variables,
} from './views.ts';

export interface Expression extends RuleSyntax {
  /** Whether the facts match. Throws when that cannot be decided; the caller then holds. */
  matches(variables: Variables): boolean;
  /** For telling why it matched; judging uses none of it. */
  readonly workings: Workings;
}

export interface Workings {
  readonly source: string;
  readonly tree: ASTNode;
  /** Reads another expression over the same variables. Throws where it does not parse; `value` where it has none. */
  read(source: string): { readonly tree: ASTNode; value(variables: Variables): unknown };
  /** Where a pattern of the rule matches first; null where it does not. */
  placeOf(pattern: string, text: string): Place | null;
}

const limits = {
  maxAstNodes: 4 * nodesMax,
  maxDepth: 48,
  maxListElements: 256,
  maxMapEntries: 64,
  maxCallArguments: 8,
};

const strings = (...names: string[]) => Object.fromEntries(names.map((name) => [name, 'string']));

function environment(patterns: Patterns): Environment {
  const sync = { async: false };
  return new Environment({ limits })
    .registerType('ToolCall', {
      ctor: ToolCallView,
      fields: { ...strings('id', 'name', 'argumentsText'), arguments: 'dyn' },
    })
    .registerType('Message', {
      ctor: MessageView,
      fields: { ...strings('role', 'text'), toolCalls: 'list<ToolCall>' },
    })
    .registerType('Tool', { ctor: ToolView, fields: strings('name', 'description') })
    .registerType('Usage', {
      ctor: UsageView,
      fields: { source: 'string', inputTokens: 'int', outputTokens: 'int', totalTokens: 'int' },
    })
    .registerType('Request', {
      ctor: RequestView,
      fields: {
        ...strings('provider', 'operation', 'method', 'path', 'model', 'system', 'text'),
        ...strings('workload', 'subject', 'purpose', 'session'),
        ...{ stream: 'bool', tokenIds: 'int', params: 'map<string, dyn>', headers: 'map<string, string>' },
        ...{ messages: 'list<Message>', tools: 'list<Tool>', unjudgedFiles: 'list<string>' },
      },
    })
    .registerType('Response', {
      ctor: ResponseView,
      fields: {
        ...strings('model', 'fingerprint', 'text', 'finishReason', 'refusal'),
        ...{ status: 'int', usage: 'Usage', toolCalls: 'list<ToolCall>' },
      },
    })
    .registerVariable('request', 'Request')
    .registerVariable('response', 'Response')
    .registerVariable('labels', 'list<string>')
    .registerFunction('re2(string, string): bool', (text, pattern) => re2(patterns, text, pattern), sync)
    .registerFunction('num(dyn): double', num, sync)
    .registerFunction('words(string): string', words, sync)
    .registerFunction('texts(dyn): string', texts, sync)
    .registerFunction(presenceSignature, presence, sync);
}

/** Compiles expressions that share one environment and one set of patterns; make one for each policy. */
export function expressionCompiler(): (phase: Phase, source: string) => Expression {
  const patterns = noPatterns();
  const env = environment(patterns);
  return (phase, source) => compile(env, patterns, phase, source);
}

function compile(env: Environment, patterns: Patterns, phase: Phase, source: string): Expression {
  const parsed = env.parse(source);
  // Refusals first: they say what to write instead, where the type check would only say what is wrong.
  const syntax = readSyntax(parsed.ast);
  const asked = parsed.check();
  if (asked.error !== undefined) throw asked.error;
  const judging = judgingOf(env, source, parsed);
  const checked = judging.check();
  if (checked.error !== undefined) throw checked.error;
  if (checked.type !== 'bool') {
    throw new RuleRefused(
      `gives ${checked.type ?? 'nothing'}, not true or false; compare it with something`,
      0,
    );
  }
  for (const name of syntax.reads) {
    if (phase === 'response' || !name.startsWith('response.')) continue;
    throw new RuleRefused(
      `reads ${name} in phase request, before there is a response`,
      source.indexOf('response'),
    );
  }
  for (const { source: pattern, offset, ofNames } of syntax.patterns) {
    try {
      addPattern(patterns, pattern, ofNames);
    } catch (error) {
      throw new RuleRefused(`has a pattern that re2 refuses: ${messageOf(error)}`, offset);
    }
  }
  const matches = (variables: Variables): boolean => {
    const value: unknown = judging(variables);
    if (typeof value === 'boolean') return value;
    throw new Error('the rule gave neither true nor false');
  };
  const workings: Workings = {
    source,
    tree: parsed.ast,
    read: (text) => {
      const part = env.parse(text);
      const judged = judgingOf(env, text, part);
      return { tree: part.ast, value: (variables): unknown => judged(variables) };
    },
    placeOf: (pattern, text) => placeOfRe2(patterns, text, pattern),
  };
  return { ...syntax, matches, workings };
}

type Parsed = ReturnType<Environment['parse']>;

/** What runs: the expression itself, or with `has()` as CEL has it. */
function judgingOf(env: Environment, source: string, parsed: Parsed): Parsed {
  const text = withPresence(source, parsed.ast);
  return text === source ? parsed : env.parse(text);
}

const shownCharsMax = 100;

/** A compile or evaluation error in one text: what is wrong, then the line of the rule with a caret under it. */
export function explain(error: unknown, source: string): string {
  if (error instanceof RuleRefused) return `${error.message}\n\n${caret(source, error.offset)}`;
  if (error instanceof ParseError || error instanceof CelTypeError || error instanceof EvaluationError) {
    const offset = error.node?.pos ?? error.range?.start;
    return offset === undefined ? error.summary : `${error.summary}\n\n${caret(source, offset)}`;
  }
  return messageOf(error);
}

function caret(source: string, offset: number): string {
  const before = source.slice(0, Math.max(0, offset));
  const lineStart = before.lastIndexOf('\n') + 1;
  const lineNumber = before.split('\n').length;
  const line = source.slice(lineStart).split('\n', 1)[0] ?? '';
  const column = before.length - lineStart;
  // Of a long line, the part around the caret.
  const from = Math.max(0, Math.min(column - shownCharsMax / 2, line.length - shownCharsMax));
  const shown = line.slice(from, from + shownCharsMax);
  return `> ${String(lineNumber).padStart(4)} | ${shown}\n${' '.repeat(9 + column - from)}^`;
}

/** Whether a rule reads, or may read, one of these facts, such as those that a record lacks. */
export function readsOneOf({ reads }: Pick<Expression, 'reads'>, facts: ReadonlySet<string>): boolean {
  return [...facts].some((name) => reads.has(name) || reads.has(`${name.split('.', 1)[0]}.*`));
}
