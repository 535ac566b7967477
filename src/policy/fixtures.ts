/**
 * A rule's own fixtures: partial facts filled up with neutral ones, and what the rule says of them. They run
 * each time the policy loads and on `holdpoint policy test`. Pure.
 */
import type { Facts, MessageFact, RequestFacts, ResponseFacts, ToolCallFact } from '../core/facts.ts';
import type { CompiledRule } from './evaluate.ts';
import { explain } from './expression.ts';
import type { Fixture, RuleSource } from './schema.ts';
import { Variables } from './views.ts';

export type Outcome = Fixture['expect'];

export interface FixtureResult {
  /** The rule's id. */
  readonly rule: string;
  /** The fixture's name. */
  readonly fixture: string;
  readonly expected: Outcome;
  readonly actual: Outcome;
  readonly passed: boolean;
  /** What went wrong, in words; '' when it passed. */
  readonly message: string;
}

/** Tries one rule on each of its fixtures, when the next result is asked for. */
export function* tryFixtures(rule: CompiledRule, source: RuleSource | undefined): Generator<FixtureResult> {
  for (const fixture of source?.tests ?? []) {
    const { actual, error } = outcomeOf(rule, fixtureFacts(rule.phase, fixture));
    const passed = actual === fixture.expect;
    yield {
      rule: rule.match.rule,
      fixture: fixture.name,
      expected: fixture.expect,
      actual,
      passed,
      message: passed ? '' : `expected ${fixture.expect}, got ${actual}${error === '' ? '' : `: ${error}`}`,
    };
  }
}

function outcomeOf(rule: CompiledRule, facts: Facts): { actual: Outcome; error: string } {
  try {
    return { actual: rule.expression.matches(new Variables(facts)) ? 'match' : 'no-match', error: '' };
  } catch (error) {
    return { actual: 'error', error: explain(error, rule.match.when) };
  }
}

type RequestFixture = NonNullable<Fixture['request']>;
type ResponseFixture = NonNullable<Fixture['response']>;
type ToolCallFixture = NonNullable<ResponseFixture['toolCalls']>[number];

/** The facts a fixture stands for: what it does not say is empty, or what an ordinary exchange has. */
export function fixtureFacts(phase: CompiledRule['phase'], fixture: Fixture): Facts {
  const request = requestFacts(fixture.request ?? {});
  const labels = fixture.labels === undefined ? {} : { labels: fixture.labels };
  if (phase === 'request') return { request, ...labels };
  return { request, response: responseFacts(fixture.response ?? {}), ...labels };
}

function requestFacts(given: RequestFixture): RequestFacts {
  const messages = (given.messages ?? []).map(messageFact);
  const system = given.system ?? '';
  return {
    provider: given.provider ?? 'openai',
    operation: given.operation ?? 'chat.completions',
    method: given.method ?? 'POST',
    path: given.path ?? '/v1/chat/completions',
    model: given.model ?? '',
    stream: given.stream ?? false,
    params: given.params ?? {},
    system,
    messages,
    text:
      given.text ??
      [system, ...messages.map((message) => message.text)].filter((text) => text !== '').join('\n'),
    tokenIds: given.tokenIds ?? 0,
    unjudgedFiles: given.unjudgedFiles ?? [],
    tools: (given.tools ?? []).map((tool) => ({
      name: tool.name ?? '',
      description: tool.description ?? '',
    })),
    headers: given.headers ?? {},
    workload: given.workload ?? '',
    subject: given.subject ?? '',
    purpose: given.purpose ?? '',
    session: given.session ?? '',
  };
}

function messageFact(given: NonNullable<RequestFixture['messages']>[number]): MessageFact {
  return {
    role: given.role ?? 'user',
    text: given.text ?? '',
    toolCalls: (given.toolCalls ?? []).map(toolCallFact),
  };
}

function toolCallFact(given: ToolCallFixture, index: number): ToolCallFact {
  const parsed = given.arguments ?? {};
  return {
    id: given.id ?? `call_${index}`,
    name: given.name ?? '',
    arguments: parsed,
    argumentsText: given.argumentsText ?? JSON.stringify(parsed),
  };
}

function responseFacts(given: ResponseFixture): ResponseFacts {
  const toolCalls = (given.toolCalls ?? []).map(toolCallFact);
  return {
    status: given.status ?? 200,
    model: given.model ?? '',
    fingerprint: given.fingerprint ?? '',
    text: given.text ?? '',
    toolCalls,
    finishReason: given.finishReason ?? (toolCalls.length > 0 ? 'tool_calls' : 'stop'),
    usage: {
      source: given.usage?.source ?? 'absent',
      inputTokens: given.usage?.inputTokens ?? 0,
      outputTokens: given.usage?.outputTokens ?? 0,
      totalTokens: given.usage?.totalTokens ?? 0,
    },
    refusal: given.refusal ?? '',
  };
}
