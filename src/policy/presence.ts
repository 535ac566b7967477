/**
 * `has(x.field)` as CEL defines it (cel-spec, langdef.md, "Field Selection"): no answer for what cannot have fields. The
 * library says no there, so that a rule which asks before it reads would pass a call that hands the same over in a list,
 * or as a text. Its own macro cannot be replaced: another stands in for it when a rule runs, with a name as long, so that
 * every place in the text of the rule stays where it is. Pure.
 */
import { kindOf } from './functions.ts';
import { type ASTNode, children } from './syntax.ts';

const library = 'has';
const own = 'Has';

export const presenceSignature = `${own}(ast): bool`;

interface Checker {
  check(node: ASTNode, context: unknown): unknown;
  getType(name: string): unknown;
}

interface Evaluator {
  run(node: ASTNode, context: unknown): unknown;
}

/** The macro, in the form that the library takes one. The name of the field is checked, where the type tells its fields. */
export function presence({ args: [field] }: { readonly args: readonly ASTNode[] }) {
  if (field?.op !== '.') throw new Error('has() takes a field, such as has(call.arguments.amount)');
  const [base, name] = field.args;
  return {
    typeCheck: (checker: Checker, _macro: unknown, context: unknown): unknown => {
      checker.check(field, context);
      return checker.getType('bool');
    },
    evaluate: (evaluator: Evaluator, _macro: unknown, context: unknown): boolean =>
      isPresent(evaluator.run(base, context), name),
    async: false,
  };
}

function isPresent(value: unknown, name: string): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`has() looks for ${JSON.stringify(name)} in a map, not in ${kindOf(value)}`);
  const prototype: unknown = Object.getPrototypeOf(value);
  // What JSON gave has the fields that were written; a fact of ours has its own beyond those it holds.
  const isMap = prototype === Object.prototype || prototype === null;
  return (!isMap || Object.hasOwn(value, name)) && Reflect.get(value, name) !== undefined;
}

/** The expression with that macro in place of the library's; `tree` is what it was read as. */
export function withPresence(source: string, tree: ASTNode): string {
  let text = source;
  const visit = (node: ASTNode): void => {
    if (node.op === 'call' && node.args[0] === library)
      text = text.slice(0, node.start) + own + text.slice(node.start + library.length);
    for (const child of children(node)) visit(child);
  };
  visit(tree);
  return text;
}
