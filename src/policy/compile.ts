/**
 * A policy file's text to a Policy. It loads whole or not at all: every rule type-checks, keeps the bounds and
 * holds its own fixtures. Pure; the caller reads the file.
 */
import { createHash } from 'node:crypto';
import type { Problem } from '../config/issues.ts';
import { openYaml } from '../config/yaml.ts';
import { createRoleBook } from '../core/roles.ts';
import { type CompiledRule, judgeBy } from './evaluate.ts';
import { explain, expressionCompiler } from './expression.ts';
import { type FixtureResult, tryFixtures } from './fixtures.ts';
import type { Policy } from './policy.ts';
import { type PolicyFile, policySchemaOf, type RuleSource } from './schema.ts';

const houseRulers = createRoleBook().rulers;

/**
 * Loads a policy.
 * @param file the name shown in errors; it is not opened
 * @param rulers the roles that rules can ask for; those of the house when absent
 * @throws HoldpointError `policy_invalid`: one line per problem, with file, line and path; for a rule's
 *   expression the lines with a caret follow it
 */
export function loadPolicy(file: string, text: string, rulers: readonly string[] = houseRulers): Policy {
  const { rules, ...named } = loadRules(file, text, rulers);
  return { ...named, source: text, ...judgeBy(rules) };
}

export interface LoadedRules {
  readonly version: string;
  /** SHA-256 of the text, lower-case hex. */
  readonly digest: string;
  /** In the order of the file. */
  readonly rules: readonly CompiledRule[];
}

/** The rules of a policy that would load, one by one. Throws as `loadPolicy` does. */
export function loadRules(file: string, text: string, rulers: readonly string[] = houseRulers): LoadedRules {
  const loading = loadingRules(file, text, rulers);
  let step = loading.next();
  while (step.done !== true) step = loading.next();
  return step.value;
}

/** As `loadRules`, with a stop after each fixture: there may be thousands, and one may take a second. */
export function* loadingRules(
  file: string,
  text: string,
  rulers: readonly string[] = houseRulers,
): Generator<void, LoadedRules, void> {
  const { value, rules, invalid } = compilePolicy(file, text, rulers);
  const failed: Problem[] = [];
  for (const [index, rule] of rules.entries()) {
    let place = 0;
    for (const result of tryFixtures(rule, value.rules[index])) {
      if (!result.passed) failed.push(fixtureProblem(result, index, place));
      place += 1;
      yield;
    }
  }
  if (failed.length > 0) throw invalid(failed);
  return { version: value.version, digest: createHash('sha256').update(text).digest('hex'), rules };
}

/**
 * Runs every rule's own fixtures and tells how each went, in the order of the file.
 * @throws HoldpointError `policy_invalid` when the file does not compile; a fixture that fails does not throw
 */
export function testPolicy(
  file: string,
  text: string,
  rulers: readonly string[] = houseRulers,
): FixtureResult[] {
  const { value, rules } = compilePolicy(file, text, rulers);
  return rules.flatMap((rule, index) => [...tryFixtures(rule, value.rules[index])]);
}

/**
 * The rules as the file has them, defaults filled in, in its order.
 * @throws HoldpointError `policy_invalid` when the file does not compile
 */
export function readRules(
  file: string,
  text: string,
  rulers: readonly string[] = houseRulers,
): readonly RuleSource[] {
  return compilePolicy(file, text, rulers).value.rules;
}

interface Compiled {
  readonly value: PolicyFile;
  readonly rules: readonly CompiledRule[];
  readonly invalid: (problems: readonly Problem[]) => Error;
}

function compilePolicy(file: string, text: string, rulers: readonly string[]): Compiled {
  const { value, invalid } = openYaml(file, text, policySchemaOf(rulers), 'policy_invalid');
  const compile = expressionCompiler();
  const problems: Problem[] = [];
  const rules: CompiledRule[] = [];
  value.rules.forEach((rule, index) => {
    try {
      rules.push({ phase: rule.phase, expression: compile(rule.phase, rule.when), match: matchOf(rule) });
    } catch (error) {
      problems.push({
        path: ['rules', index, 'when'],
        text: `rule ${rule.id}: ${explain(error, rule.when)}`,
      });
    }
  });
  if (problems.length > 0) throw invalid(problems);
  return { value, rules, invalid };
}

function matchOf(rule: RuleSource): CompiledRule['match'] {
  const { id, title, when, action, severity, hold } = rule;
  return Object.freeze({ rule: id, title, when, action, severity, hold });
}

function fixtureProblem({ rule, fixture, message }: FixtureResult, index: number, place: number): Problem {
  return { path: ['rules', index, 'tests', place], text: `rule ${rule}, test "${fixture}": ${message}` };
}
