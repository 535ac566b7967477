/**
 * Judges facts by compiled rules. A rule that fails while it is evaluated is a match that holds: nothing here
 * turns an error into a pass. Pure.
 */
import type { Facts, ResponseFacts } from '../core/facts.ts';
import { type Expression, explain, readsOneOf } from './expression.ts';
import type { Action, Judgement, Match, Phase, Policy } from './policy.ts';
import { readingsOf, Variables } from './views.ts';

export interface CompiledRule {
  readonly phase: Phase;
  readonly expression: Expression;
  /** What a match of this rule says; made once, handed out as it is. */
  readonly match: Match;
}

const errorCharsMax = 500;
const strictness: Readonly<Record<Action | 'pass', number>> = { pass: 0, flag: 1, hold: 2, deny: 3 };
const passed: Judgement = Object.freeze({ action: 'pass', matches: Object.freeze([]) });

/** An answer with neither text nor tool calls, as a streaming answer is before its first byte. */
const blankResponse: ResponseFacts = {
  status: 200,
  model: '',
  fingerprint: '',
  text: '',
  toolCalls: [],
  finishReason: '',
  usage: { source: 'absent', inputTokens: 0, outputTokens: 0, totalTokens: 0 },
  refusal: '',
};

/** The judging half of a Policy. The rules are in the order of the file, and so are the matches. */
export function judgeBy(
  rules: readonly CompiledRule[],
): Pick<Policy, 'judge' | 'textMayStream' | 'denies' | 'deniesBy' | 'stopsBy' | 'hasRules'> {
  const byPhase: Readonly<Record<Phase, readonly CompiledRule[]>> = {
    request: rules.filter((rule) => rule.phase === 'request'),
    response: rules.filter((rule) => rule.phase === 'response'),
  };
  // Most answers call no tool; rules known to be false for those are not run at all.
  const withoutToolCalls = byPhase.response.filter((rule) => !rule.expression.falseWithoutToolCalls);
  const mayEverStream = byPhase.response.every(looksAtToolCallsOnly);

  const rulesFor = (phase: Phase, facts: Facts): readonly CompiledRule[] =>
    phase === 'response' && facts.response?.toolCalls.length === 0 ? withoutToolCalls : byPhase[phase];

  return {
    judge: (phase, facts) => judge(rulesFor(phase, facts), facts),
    textMayStream: (facts) => {
      if (!mayEverStream) return false;
      const { action } = judge(withoutToolCalls, { ...facts, response: blankResponse });
      return strictness[action] < strictness.hold;
    },
    denies: (phase) => byPhase[phase].some(({ match }) => match.action === 'deny'),
    deniesBy: (phase, facts) =>
      byPhase[phase].some((rule) => rule.match.action === 'deny' && readsOneOf(rule.expression, facts)),
    stopsBy: (phase, facts) =>
      byPhase[phase].some((rule) => rule.match.action !== 'flag' && readsOneOf(rule.expression, facts)),
    hasRules: (phase) => byPhase[phase].length > 0,
  };
}

/**
 * Whether no text of the answer can make this rule hold or deny. A flag rule may read text only if it cannot
 * fail, because a failing flag rule holds. Labels may come from the text, so they count as text.
 */
function looksAtToolCallsOnly({ expression, match }: CompiledRule): boolean {
  if (match.action === 'flag' && expression.cannotFail) return true;
  for (const name of expression.reads) {
    if (name !== 'response.toolCalls' && !name.startsWith('request.')) return false;
  }
  return true;
}

function judge(rules: readonly CompiledRule[], facts: Facts): Judgement {
  if (rules.length === 0) return passed;
  let matches: Match[] | undefined;
  let action: Judgement['action'] = 'pass';
  const readings = readingsOf(facts).map((reading) => new Variables(reading));
  for (const rule of rules) {
    const match = strictestMatch(rule, readings);
    if (match === undefined) continue;
    matches ??= [];
    matches.push(match);
    if (strictness[match.action] > strictness[action]) action = match.action;
  }
  return matches === undefined ? passed : { action, matches };
}

/** What the rule says of any of the requests that the provider may run, where it says most; undefined where nothing. */
export function strictestMatch(rule: CompiledRule, readings: readonly Variables[]): Match | undefined {
  let strictest: Match | undefined;
  for (const variables of readings) {
    const match = matchOf(rule, variables);
    if (match === undefined) continue;
    if (strictest === undefined || strictness[match.action] > strictness[strictest.action]) strictest = match;
  }
  return strictest;
}

function matchOf(rule: CompiledRule, variables: Variables): Match | undefined {
  try {
    return rule.expression.matches(variables) ? rule.match : undefined;
  } catch (error) {
    return { ...rule.match, action: 'hold', error: explain(error, rule.match.when).slice(0, errorCharsMax) };
  }
}
