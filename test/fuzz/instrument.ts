/**
 * Counts which blocks of the measured sources an input reaches: modules under `src/` (and the fuzzer's own toy) are
 * compiled on loading with a counter in every branch. Import it before what is to be measured. Counters of one's own
 * rather than V8's coverage: they can be read after every input, and they do not change with what V8 optimises, so
 * that a seed gives the same run again.
 */
import { readFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import type * as TypeScript from 'typescript';

const root = new URL('../../', import.meta.url).href;
const measured = [`${root}src/`, `${root}test/fuzz/targets/toy-parser.ts`];

/** Far more than all sources have. */
const blocksMax = 1 << 16;

/** How often each block ran since it was last zeroed, modulo 256; the first `blockCount()` are in use. */
export const blockHits = new Uint8Array(blocksMax);
let blocks = 0;
export const blockCount = (): number => blocks;

const literals = new Set<string>();
/** The texts that the measured sources compare with: what a mutation writes to get past a comparison. */
export const sourceLiterals = (): readonly string[] => [...literals];
const literalCharsMax = 48;

const countersName = 'fuzzedBlockHits';
Object.defineProperty(globalThis, countersName, { value: blockHits });

let compiler: typeof TypeScript | undefined;
function typescript(): typeof TypeScript {
  if (compiler !== undefined) return compiler;
  const loaded: typeof TypeScript = createRequire(import.meta.url)('typescript');
  compiler = loaded;
  return loaded;
}

registerHooks({
  load(url, context, nextLoad) {
    if (!measured.some((prefix) => url.startsWith(prefix)) || !url.endsWith('.ts'))
      return nextLoad(url, context);
    const file = fileURLToPath(url);
    return { format: 'module', shortCircuit: true, source: withCounters(readFileSync(file, 'utf8'), file) };
  },
});

function withCounters(source: string, fileName: string): string {
  const ts = typescript();
  const { outputText } = ts.transpileModule(source, {
    fileName,
    compilerOptions: {
      target: ts.ScriptTarget.ESNext,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      inlineSourceMap: true,
    },
    transformers: { before: [addCounters] },
  });
  return outputText;
}

function addCounters(
  context: TypeScript.TransformationContext,
): TypeScript.Transformer<TypeScript.SourceFile> {
  const ts = typescript();
  const { factory } = context;

  function count(): TypeScript.Expression {
    if (blocks === blocksMax) throw new RangeError(`The sources have more than ${blocksMax} blocks.`);
    blocks += 1;
    return factory.createPostfixIncrement(
      factory.createElementAccessExpression(factory.createIdentifier(countersName), blocks - 1),
    );
  }
  const countStatement = () => factory.createExpressionStatement(count());
  const counted = (body: TypeScript.Statement): TypeScript.Block =>
    factory.createBlock([countStatement(), ...(ts.isBlock(body) ? body.statements : [body])], true);
  const countedValue = (value: TypeScript.Expression): TypeScript.Expression =>
    factory.createParenthesizedExpression(factory.createComma(count(), value));

  function branches(node: TypeScript.Node): TypeScript.Node {
    if (ts.isIfStatement(node))
      return factory.updateIfStatement(
        node,
        node.expression,
        counted(node.thenStatement),
        counted(node.elseStatement ?? factory.createBlock([])),
      );
    if (ts.isConditionalExpression(node))
      return factory.updateConditionalExpression(
        node,
        node.condition,
        node.questionToken,
        countedValue(node.whenTrue),
        node.colonToken,
        countedValue(node.whenFalse),
      );
    if (ts.isCaseClause(node))
      return factory.updateCaseClause(node, node.expression, [countStatement(), ...node.statements]);
    if (ts.isDefaultClause(node))
      return factory.updateDefaultClause(node, [countStatement(), ...node.statements]);
    if (ts.isCatchClause(node))
      return factory.updateCatchClause(node, node.variableDeclaration, counted(node.block));
    if (ts.isBinaryExpression(node) && decides(node.operatorToken.kind))
      return factory.updateBinaryExpression(node, node.left, node.operatorToken, countedValue(node.right));
    return bodies(node);
  }

  function decides(kind: TypeScript.SyntaxKind): boolean {
    return (
      kind === ts.SyntaxKind.AmpersandAmpersandToken ||
      kind === ts.SyntaxKind.BarBarToken ||
      kind === ts.SyntaxKind.QuestionQuestionToken
    );
  }

  function bodies(node: TypeScript.Node): TypeScript.Node {
    if (ts.isForOfStatement(node))
      return factory.updateForOfStatement(
        node,
        node.awaitModifier,
        node.initializer,
        node.expression,
        counted(node.statement),
      );
    if (ts.isForStatement(node)) {
      const { initializer, condition, incrementor } = node;
      return factory.updateForStatement(node, initializer, condition, incrementor, counted(node.statement));
    }
    if (ts.isWhileStatement(node))
      return factory.updateWhileStatement(node, node.expression, counted(node.statement));
    if (ts.isArrowFunction(node)) {
      const { modifiers, typeParameters, parameters, type, equalsGreaterThanToken } = node;
      const body = ts.isBlock(node.body) ? counted(node.body) : countedValue(node.body);
      return factory.updateArrowFunction(
        node,
        modifiers,
        typeParameters,
        parameters,
        type,
        equalsGreaterThanToken,
        body,
      );
    }
    return node;
  }

  /** Functions that are declared by name: their block is found by its parent. */
  function isFunctionBlock(node: TypeScript.Node, parent: TypeScript.Node): node is TypeScript.Block {
    return (
      ts.isBlock(node) &&
      (ts.isFunctionDeclaration(parent) ||
        ts.isFunctionExpression(parent) ||
        ts.isMethodDeclaration(parent) ||
        ts.isGetAccessor(parent))
    );
  }

  function noteLiteral(node: TypeScript.Node): void {
    if (!ts.isStringLiteralLike(node) || ts.isImportDeclaration(node.parent ?? node)) return;
    if (node.text.length > 0 && node.text.length <= literalCharsMax) literals.add(node.text);
  }

  return (file) => {
    const visit = (node: TypeScript.Node, parent: TypeScript.Node): TypeScript.Node => {
      noteLiteral(node);
      const inner = ts.visitEachChild(node, (child) => visit(child, node), context);
      return isFunctionBlock(inner, parent) ? counted(inner) : branches(inner);
    };
    return ts.visitEachChild(file, (child) => visit(child, file), context);
  };
}
