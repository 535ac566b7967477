/**
 * What can be known of a rule from its syntax tree before it ever runs: whether it may be used at all, which
 * facts it reads, and whether it is false, or cannot fail, whatever the traffic. Every answer errs to the safe
 * side: a reading too many, a "not known to be false". Pure.
 */
import type { ASTNode } from '@marcbachmann/cel-js';

export type { ASTNode };

/** A rule this size no longer fits a screen; and each node costs time on every exchange. */
export const nodesMax = 500;
export const comprehensionDepthMax = 2;

export const roots: ReadonlySet<string> = new Set(['request', 'response', 'labels']);
/** Walks a list: name(variable, ...). */
export const comprehensions: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'filter', 'map']);
const methods: ReadonlySet<string> = new Set([
  ...comprehensions,
  ...['contains', 'startsWith', 'endsWith', 'size', 'lowerAscii', 'upperAscii', 'trim', 'indexOf', 'join'],
]);
const functions: ReadonlySet<string> = new Set([
  ...['has', 'size', 'string', 'type', 'dyn', 're2', 'num', 'words', 'texts'],
]);
/** Cannot fail once the types are right. */
const totalCalls: ReadonlySet<string> = new Set([
  ...['contains', 'startsWith', 'endsWith', 'size', 'lowerAscii', 'upperAscii', 'trim', 're2', 'words'],
]);

const instead: Readonly<Record<string, string>> = {
  matches: 'matches() can take exponential time; use re2(text, pattern)',
  double: 'double() reads some texts as NaN, which is below every limit; use num(x)',
  int: 'int() reads an empty text as 0; use num(x)',
  uint: 'uint() reads an empty text as 0; use num(x)',
};

/** A refusal with the place in the `when` text where the trouble is. */
export class RuleRefused extends Error {
  override readonly name = 'RuleRefused';
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

export interface LiteralPattern {
  readonly source: string;
  readonly offset: number;
  /** It is asked of a name (of a tool, a model, a key), not of what somebody wrote. */
  readonly ofNames: boolean;
}

export interface RuleSyntax {
  /** `request.text`, `response.toolCalls`, `labels`; `response.*` where the tree does not say which. */
  readonly reads: ReadonlySet<string>;
  /** The literal patterns of every re2() call, with their places. */
  readonly patterns: readonly LiteralPattern[];
  /** False without fail for any request while the answer has no tool call. */
  readonly falseWithoutToolCalls: boolean;
  /** Evaluates to a bool on any facts: no conversion, no arithmetic, no value of unknown type, no list. */
  readonly cannotFail: boolean;
}

/**
 * Reads a type-checked syntax tree.
 * @throws RuleRefused when a construct is not allowed in a rule
 */
export function readSyntax(tree: ASTNode): RuleSyntax {
  const reads = new Set<string>();
  const patterns: LiteralPattern[] = [];
  let nodes = 0;

  const visit = (node: ASTNode, depth: number): void => {
    nodes += 1;
    if (nodes > nodesMax) throw new RuleRefused(`has more than ${nodesMax} parts; split the rule`, node.pos);
    noteReads(node, reads);
    // A field of a fact is read as that field, not as the whole fact.
    if (fieldOfRoot(node) !== undefined) return;
    if (node.op === 'call') checkFunction(node.args[0], node.args[1], node.pos, patterns);
    if (node.op === '/' || node.op === '%') checkDivisor(node.args[1], node.pos);
    if (node.op === 'rcall') {
      const [name, receiver, args] = node.args;
      const below = depth + checkMethod(name, args, receiver.end, depth);
      visit(receiver, depth);
      for (const argument of args) visit(argument, below);
    } else for (const child of children(node)) visit(child, depth);
  };
  visit(tree, 0);
  return {
    reads,
    patterns,
    falseWithoutToolCalls: falseWithoutToolCalls(tree),
    cannotFail: cannotFail(tree),
  };
}

/** How much deeper in walked lists the arguments of this call are: 0 or 1. */
function checkMethod(name: string, args: readonly ASTNode[], offset: number, depth: number): number {
  if (!methods.has(name))
    throw new RuleRefused(instead[name] ?? `${name}() is not available in rules`, offset);
  if (!comprehensions.has(name)) return 0;
  const [variable] = args;
  if (variable?.op === 'id' && roots.has(variable.args)) {
    throw new RuleRefused(`"${variable.args}" names a fact; give the variable another name`, variable.pos);
  }
  if (depth + 1 > comprehensionDepthMax) {
    throw new RuleRefused(`walks lists inside lists deeper than ${comprehensionDepthMax}`, offset);
  }
  return 1;
}

function checkFunction(
  name: string,
  args: readonly ASTNode[],
  offset: number,
  patterns: LiteralPattern[],
): void {
  if (!functions.has(name))
    throw new RuleRefused(instead[name] ?? `${name}() is not available in rules`, offset);
  if (name !== 're2') return;
  const pattern = args[1];
  if (pattern?.op !== 'value' || typeof pattern.args !== 'string') {
    throw new RuleRefused(
      "re2() takes its pattern as a literal text, so that it is checked when the policy loads: re2(x, r'…')",
      pattern?.pos ?? offset,
    );
  }
  patterns.push({ source: pattern.args, offset: pattern.pos, ofNames: isName(args[0]) });
}

function isName(node: ASTNode | undefined): boolean {
  if (node?.op === 'call' && node.args[0] === 'words') {
    const [named] = node.args[1];
    return named?.op === 'id' || isName(named);
  }
  return node?.op === '.' && (node.args[1] === 'name' || node.args[1] === 'model');
}

/** 0.0/0.0 is NaN, and NaN is below every limit. */
function checkDivisor(divisor: ASTNode, offset: number): void {
  if (divisor.op === 'value' && Number(divisor.args) !== 0 && Number.isFinite(Number(divisor.args))) return;
  throw new RuleRefused(
    'divides by something that may be 0; divide by a number written in the rule, or multiply the other side',
    offset,
  );
}

function fieldOfRoot(node: ASTNode): string | undefined {
  if (node.op !== '.' && node.op !== '[]') return undefined;
  const [base, key] = node.args;
  if (base.op !== 'id' || (base.args !== 'request' && base.args !== 'response')) return undefined;
  if (typeof key === 'string') return `${base.args}.${key}`;
  return key.op === 'value' && typeof key.args === 'string' ? `${base.args}.${key.args}` : undefined;
}

function noteReads(node: ASTNode, reads: Set<string>): void {
  const field = fieldOfRoot(node);
  if (field !== undefined) reads.add(field);
  else if (node.op === 'id' && node.args === 'labels') reads.add('labels');
  else if (node.op === 'id' && roots.has(node.args)) reads.add(`${node.args}.*`);
}

export function children(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'map':
      return node.args.flat();
    case '!_':
    case '-_':
      return [node.args];
    default:
      return node.args;
  }
}

function isToolCalls(node: ASTNode): boolean {
  return fieldOfRoot(node) === 'response.toolCalls';
}

/** Follows CEL's own logic: `false && x` and `x && false` are false even where x fails. */
function falseWithoutToolCalls(node: ASTNode): boolean {
  switch (node.op) {
    case 'value':
      return node.args === false;
    case '&&':
      return node.args.some(falseWithoutToolCalls);
    case '||':
      return node.args.every(falseWithoutToolCalls);
    case 'rcall':
      return (node.args[0] === 'exists' || node.args[0] === 'exists_one') && isToolCalls(node.args[1]);
    default:
      return false;
  }
}

const comparisons: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=', '&&', '||', '!_', '?:']);
/**
 * Facts that are one text, number or bool each: reading one cannot run into a bound. `request.text` is none of
 * them, because a prompt may come as token ids, which cannot be read.
 */
const scalarFacts: ReadonlySet<string> = new Set([
  ...[
    'provider',
    'operation',
    'method',
    'path',
    'model',
    'stream',
    'system',
    'tokenIds',
    'workload',
    'subject',
  ].map((name) => `request.${name}`),
  ...['request.purpose', 'request.session'],
  ...['status', 'model', 'fingerprint', 'text', 'finishReason', 'refusal'].map((name) => `response.${name}`),
]);

/** Only for trees that passed the type check: then these constructs have a value on every input. */
function cannotFail(node: ASTNode): boolean {
  const field = fieldOfRoot(node);
  if (field !== undefined) return scalarFacts.has(field);
  if (node.op === 'value') return true;
  if (node.op === 'call') return totalCalls.has(node.args[0]) && node.args[1].every(cannotFail);
  if (node.op === 'rcall') return totalCalls.has(node.args[0]) && children(node).every(cannotFail);
  if (node.op === 'in') return node.args[1].op === 'list' && children(node).every(cannotFail);
  if (node.op === 'list' || comparisons.has(node.op)) return children(node).every(cannotFail);
  return false;
}
