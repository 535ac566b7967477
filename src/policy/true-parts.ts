/**
 * Why a rule matched: the smallest parts of its `when` that are true, and what they were true of. It walks `||`, `&&`,
 * `!`, `?:` and walks over lists down to comparisons and calls, and asks of each by the evaluator that judged. It
 * judges nothing, and whatever cannot be told is left out. Pure.
 */
import type { Facts } from '../core/facts.ts';
import type { Expression } from './expression.ts';
import { escaped, type Workbench, workbench } from './part-evaluation.ts';
import { type PartValue, valuesOf } from './part-values.ts';
import type { ASTNode } from './syntax.ts';
import { ToolCallView, Variables } from './views.ts';
import { type Bound, type Scope, written } from './writing.ts';

export interface TruePart {
  /** As the rule has it; negated where it is its being false that made the rule match. */
  readonly expression: string;
  /** The same with places in the facts for variables of walked lists: true on the same facts. */
  readonly bound: string;
  /** What it read, where that can be told. */
  readonly values: readonly PartValue[];
}

export const partsMax = 24;
/** Of the items of a list that made a walk over it true, so many are named. */
const itemsNamedMax = 3;

/** A part of the tree that is as `is` says. */
interface Part {
  readonly node: ASTNode;
  readonly scope: Scope;
  readonly is: boolean;
}

/** `is` is null where it cannot be told; then there are no parts. */
interface Truth {
  readonly is: boolean | null;
  readonly parts: readonly Part[];
}

const unknown: Truth = { is: null, parts: [] };

/** At most `partsMax` parts, in the order of the rule; none where it does not match or cannot be decided. Never throws. */
export function trueParts({ workings }: Expression, facts: Facts): readonly TruePart[] {
  const bench = workbench(workings, new Variables(facts));
  const { is, parts } = walk(workings.tree, new Map(), bench);
  if (is !== true) return [];
  const named = new Map<string, TruePart>();
  for (const part of parts) {
    if (named.size >= partsMax) break;
    const bound = signed(bench.text(part.node, part.scope), part);
    if (named.has(bound)) continue;
    named.set(bound, {
      expression: signed(asInRule(part.node, bench), part),
      bound,
      values: valuesOf(part.node, part.scope, part.is, bench),
    });
  }
  return [...named.values()];
}

function walk(node: ASTNode, scope: Scope, bench: Workbench): Truth {
  switch (node.op) {
    case '!_': {
      const { is, parts } = walk(node.args, scope, bench);
      return is === null ? unknown : { is: !is, parts };
    }
    case '&&':
      return both(node.args, scope, bench);
    case '||':
      return either(node.args, scope, bench);
    case '?:': {
      const [condition, yes, no] = node.args;
      const asked = walk(condition, scope, bench);
      if (asked.is === null) return unknown;
      const chosen = walk(asked.is ? yes : no, scope, bench);
      return chosen.is === null ? unknown : { is: chosen.is, parts: [...asked.parts, ...chosen.parts] };
    }
    case 'rcall':
      return quantified(node, scope, bench) ?? leaf(node, scope, bench);
    default:
      return leaf(node, scope, bench);
  }
}

function leaf(node: ASTNode, scope: Scope, bench: Workbench): Truth {
  const value = bench.evaluate(bench.text(node, scope));
  return typeof value === 'boolean' ? { is: value, parts: [{ node, scope, is: value }] } : unknown;
}

/** CEL's own logic: one false operand decides, even where the other fails. */
function both(operands: readonly [ASTNode, ASTNode], scope: Scope, bench: Workbench): Truth {
  const left = walk(operands[0], scope, bench);
  if (left.is === false) return left;
  const right = walk(operands[1], scope, bench);
  if (right.is === false) return right;
  if (left.is === null || right.is === null) return unknown;
  return { is: true, parts: [...left.parts, ...right.parts] };
}

/** Of what is true for several reasons, each is named. */
function either(operands: readonly [ASTNode, ASTNode], scope: Scope, bench: Workbench): Truth {
  const truths = operands.map((operand) => walk(operand, scope, bench));
  const held = truths.filter(({ is }) => is === true);
  if (held.length > 0) return { is: true, parts: held.flatMap(({ parts }) => parts) };
  if (truths.some(({ is }) => is === null)) return unknown;
  return { is: false, parts: truths.flatMap(({ parts }) => parts) };
}

type Method = Extract<ASTNode, { readonly op: 'rcall' }>;

/** Null for a method that asks nothing of the items of a list. */
function quantified(node: Method, scope: Scope, bench: Workbench): Truth | null {
  const [name, receiver, [variable, body]] = node.args;
  if (name !== 'exists' && name !== 'all' && name !== 'exists_one') return null;
  if (variable?.op !== 'id' || body === undefined) return null;
  const items = itemsOf(receiver, scope, bench);
  if (items === null) return unknown;
  const whole = (is: boolean): Truth => ({ is, parts: [{ node, scope, is }] });
  const deciding = name !== 'all';
  const decided: Truth[] = [];
  const others: Truth[] = [];
  for (const item of items) {
    const truth = walk(body, new Map(scope).set(variable.args, item), bench);
    (truth.is === deciding ? decided : others).push(truth);
    if (name !== 'exists_one' && decided.length >= itemsNamedMax) break;
  }
  const isUnknown = others.some(({ is }) => is === null);
  if (name === 'exists_one') {
    if (isUnknown) return unknown;
    return decided.length === 1 ? { is: true, parts: partsOf(decided) } : whole(false);
  }
  if (decided.length > 0) return { is: deciding, parts: partsOf(decided) };
  if (isUnknown) return unknown;
  // What is so of every item is named once, unless they are few.
  const isFew = others.length > 0 && others.length <= itemsNamedMax;
  return isFew ? { is: !deciding, parts: partsOf(others) } : whole(!deciding);
}

/** The items of a list, or the keys of a map, as what they stand for; null where it is neither. */
function itemsOf(walked: ASTNode, scope: Scope, bench: Workbench): readonly Bound[] | null {
  const value = bench.evaluate(bench.text(walked, scope));
  const place = bench.pointer(walked, scope);
  const at = (below: string): string | null => (place === null ? null : `${place}/${below}`);
  if (Array.isArray(value)) {
    const text = bench.operand(walked, scope);
    return value.map((item: unknown, index) => {
      // What a call is known as besides stands within it, and not where rules see it.
      const below = item instanceof ToolCallView ? item.place : String(index);
      return { text: `${text}[${index}]`, pointer: at(below) };
    });
  }
  if (typeof value !== 'object' || value === null) return null;
  return Object.keys(value).map((key) => ({ text: JSON.stringify(key), pointer: at(escaped(key)) }));
}

function partsOf(truths: readonly Truth[]): Part[] {
  return truths.flatMap(({ parts }) => parts);
}

function signed(text: string, { node, is }: Part): string {
  if (is) return text;
  const bindsTightly = ['id', 'value', '.', '[]', 'call', 'rcall'].includes(node.op);
  return bindsTightly ? `!${text}` : `!(${text})`;
}

/** The rule's own letters where they are that part and nothing else: its ends do not count parentheses at its edges. */
function asInRule(node: ASTNode, { workings }: Workbench): string {
  const plain = written(node, workings.source, new Map());
  const letters = workings.source.slice(node.start, node.end);
  try {
    return written(workings.read(letters).tree, letters, new Map()) === plain ? letters : plain;
  } catch {
    // Cut inside a parenthesis, it is no expression.
    return plain;
  }
}
