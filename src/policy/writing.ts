/**
 * A part of a rule written out again, with places in the facts where it had variables of a walked list: the same
 * expression, to be evaluated on its own. Literals stand as the rule has them. Pure.
 */
import { type ASTNode, comprehensions } from './syntax.ts';

/** What a variable of a walked list stands for. */
export interface Bound {
  /** The item of a list, or the key of a map, as an expression over the facts. */
  readonly text: string;
  /** Its place as a JSON Pointer (RFC 6901) into the facts, for a key that of its value; null for an item of a list the rule made. */
  readonly pointer: string | null;
}
export type Scope = ReadonlyMap<string, Bound>;

/** Throws `RangeError` on a construct that rules cannot have. */
export function written(node: ASTNode, source: string, scope: Scope): string {
  const write = (part: ASTNode): string => operand(part, source, scope);
  switch (node.op) {
    case '!_':
      return `!${write(node.args)}`;
    case '-_':
      return `-${write(node.args)}`;
    case '?:': {
      const [condition, yes, no] = node.args;
      return `${write(condition)} ? ${write(yes)} : ${write(no)}`;
    }
    case '||':
    case '&&':
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
    case 'in':
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return `${write(node.args[0])} ${node.op} ${write(node.args[1])}`;
    default:
      return write(node);
  }
}

/** So that it can stand as an operand: what binds less than a call is in parentheses. */
export function operand(node: ASTNode, source: string, scope: Scope): string {
  const write = (part: ASTNode): string => operand(part, source, scope);
  const list = (parts: readonly ASTNode[]): string =>
    parts.map((part) => written(part, source, scope)).join(', ');
  switch (node.op) {
    case 'value':
      return source.slice(node.start, node.end);
    case 'id':
      return scope.get(node.args)?.text ?? node.args;
    case '.':
      return `${write(node.args[0])}.${node.args[1]}`;
    case '[]':
      return `${write(node.args[0])}[${list([node.args[1]])}]`;
    case 'call':
      return writtenHas(node.args, source, scope) ?? `${node.args[0]}(${list(node.args[1])})`;
    case 'rcall':
      return writtenMethod(node.args, source, scope);
    case 'list':
      return `[${list(node.args)}]`;
    case 'map':
      return `{${node.args.map((entry) => entry.map((part) => list([part])).join(': ')).join(', ')}}`;
    case '.?':
    case '[?]':
      throw new RangeError(`${node.op} is not available in rules`);
    default:
      return `(${written(node, source, scope)})`;
  }
}

type Call = Extract<ASTNode, { readonly op: 'call' }>['args'];

/** `has()` takes fields of a name only, so that the item keeps its own; null for another function. */
function writtenHas([name, [field]]: Call, source: string, scope: Scope): string | null {
  if (name !== 'has' || field === undefined) return null;
  let root = field;
  while (root.op === '.') root = root.args[0];
  const bound = root.op === 'id' ? scope.get(root.args) : undefined;
  if (root.op !== 'id' || bound === undefined) return null;
  return `cel.bind(${root.args}, ${bound.text}, has(${written(field, source, new Map())}))`;
}

type Method = Extract<ASTNode, { readonly op: 'rcall' }>['args'];

function writtenMethod([name, receiver, args]: Method, source: string, scope: Scope): string {
  const [variable] = args;
  const below = new Map(scope);
  // Inside the walk its own variable hides one of the same name outside.
  if (comprehensions.has(name) && variable?.op === 'id') below.delete(variable.args);
  return `${operand(receiver, source, scope)}.${name}(${args.map((arg) => written(arg, source, below)).join(', ')})`;
}
