/** Evaluates parts of a rule on the facts it judged: each once, so many in all, and what fails has no value. Pure. */
import type { Workings } from './expression.ts';
import { type ASTNode, roots } from './syntax.ts';
import type { Variables } from './views.ts';
import { operand, type Scope, written } from './writing.ts';

/** Of one rule on one exchange. */
export const evaluationsMax = 500;

export interface Workbench {
  readonly workings: Workings;
  /** Undefined where it fails, and once `evaluationsMax` different parts were evaluated. */
  evaluate(text: string): unknown;
  /** What was shown of a value, by its text: a large one is laid out once. */
  readonly shown: Map<string, string | null>;
  /** The part as an expression over the facts alone. */
  text(node: ASTNode, scope: Scope): string;
  /** The same, to be followed by an index. */
  operand(node: ASTNode, scope: Scope): string;
  /** The place it reads, as a JSON Pointer (RFC 6901) into the facts; null where it is no place. */
  pointer(node: ASTNode, scope: Scope): string | null;
}

export function workbench(workings: Workings, variables: Variables): Workbench {
  const known = new Map<string, unknown>();
  const { source } = workings;
  const evaluate = (text: string): unknown => {
    if (known.has(text)) return known.get(text);
    if (known.size >= evaluationsMax) return undefined;
    const value = evaluated(workings, text, variables);
    known.set(text, value);
    return value;
  };
  const text = (node: ASTNode, scope: Scope): string => written(node, source, scope);
  const pointer = (node: ASTNode, scope: Scope): string | null => {
    if (node.op === 'id') {
      const bound = scope.get(node.args);
      if (bound !== undefined) return bound.pointer;
      return roots.has(node.args) ? `/${node.args}` : null;
    }
    if (node.op !== '.' && node.op !== '[]') return null;
    const [base, key] = node.args;
    const before = pointer(base, scope);
    const name = typeof key === 'string' ? key : evaluate(text(key, scope));
    const isName = typeof name === 'string' || typeof name === 'bigint';
    return before === null || !isName ? null : `${before}/${escaped(String(name))}`;
  };
  return {
    workings,
    shown: new Map(),
    evaluate,
    text,
    operand: (node, scope) => operand(node, source, scope),
    pointer,
  };
}

function evaluated(workings: Workings, text: string, variables: Variables): unknown {
  try {
    return workings.read(text).value(variables);
  } catch {
    // A part may fail where the whole does not, such as the second operand of `||`: nothing is said of it.
    return undefined;
  }
}

/** A name as RFC 6901 section 3 writes it. */
export function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
