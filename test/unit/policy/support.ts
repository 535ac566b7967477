/** Facts and small policies for the tests of rules. */
import type { Facts, RequestFacts, ResponseFacts, ToolCallFact } from '../../../src/core/facts.ts';
import { type CompiledRule, judgeBy } from '../../../src/policy/evaluate.ts';
import { expressionCompiler } from '../../../src/policy/expression.ts';
import type { Action, Phase } from '../../../src/policy/policy.ts';

export function call(name: string, args: unknown = {}): ToolCallFact {
  return { id: 'call_1', name, arguments: args, argumentsText: JSON.stringify(args) ?? '' };
}

export function requestFacts(given: Partial<RequestFacts> = {}): RequestFacts {
  return {
    provider: 'openai',
    operation: 'chat.completions',
    method: 'POST',
    path: '/v1/chat/completions',
    model: 'gpt-4o',
    stream: false,
    params: {},
    system: '',
    messages: [],
    text: '',
    tools: [],
    headers: {},
    workload: '',
    subject: '',
    purpose: '',
    session: '',
    ...given,
  };
}

export function responseFacts(given: Partial<ResponseFacts> = {}): ResponseFacts {
  return {
    status: 200,
    model: 'gpt-4o',
    fingerprint: '',
    text: '',
    toolCalls: [],
    finishReason: 'stop',
    usage: { source: 'provider', inputTokens: 10, outputTokens: 20, totalTokens: 30 },
    refusal: '',
    ...given,
  };
}

export function facts(
  response: Partial<ResponseFacts> = {},
  request: Partial<RequestFacts> = {},
  labels: readonly string[] = [],
): Facts {
  return { request: requestFacts(request), response: responseFacts(response), labels };
}

export interface RuleSketch {
  readonly when: string;
  readonly phase?: Phase;
  readonly action?: Action;
  readonly id?: string;
}

/** The judging half of a policy, from expressions alone: no fixtures, no file. */
export function judgeOf(...sketches: readonly RuleSketch[]): ReturnType<typeof judgeBy> {
  const compile = expressionCompiler();
  return judgeBy(
    sketches.map(({ when, phase = 'response', action = 'hold', id = 'rule' }): CompiledRule => {
      const hold = { expiresInMs: 60_000, approvals: 1, roles: ['reviewer'], notRequester: true };
      return {
        phase,
        expression: compile(phase, when),
        match: { rule: id, title: id, when, action, severity: 'medium', hold },
      };
    }),
  );
}

/** A policy file with one rule; `tests` is YAML flow text. */
export function policyText(when: string, more: Readonly<Record<string, string>> = {}): string {
  const fields = {
    id: 'a-rule',
    title: 'A rule',
    phase: 'response',
    when: JSON.stringify(when),
    action: 'hold',
    tests:
      '[{ name: yes, expect: match, response: { text: "yes" } }, { name: no, expect: no-match, response: { text: "no" } }]',
    ...more,
  };
  const lines = Object.entries(fields).map(
    ([key, value], index) => `  ${index === 0 ? '- ' : '  '}${key}: ${value}`,
  );
  return ['version: "2026-11-22"', 'rules:', ...lines, ''].join('\n');
}

/** The error a function throws; fails when it throws none. */
export function thrown(act: () => unknown): Error {
  try {
    act();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('expected an error');
}
