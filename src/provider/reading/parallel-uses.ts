/**
 * Calls that a model writes into one: GPT models sometimes ask for `multi_tool_use.parallel`, a tool that nobody offered,
 * with further calls in what they hand it. LiteLLM makes those calls of it
 * (https://community.openai.com/t/model-tries-to-call-unknown-function-multi-tool-use-parallel/490653). Pure.
 */
import type { CallReading } from '../../core/facts.ts';
import { isAbsent, isRecord, textOf } from '../wire/json.ts';

/** What such models put before the name of a workload's own function. */
const namespace = /^functions\./;

const none: readonly CallReading[] = [];

/** The calls in what a call hands its tool, whatever that is called. Hardly any has one. */
export function usesWithin(handed: unknown): readonly CallReading[] {
  if (!isRecord(handed) || !Array.isArray(handed.tool_uses)) return none;
  return handed.tool_uses.filter(isRecord).flatMap(({ recipient_name: recipient, parameters }) => {
    const name = textOf(recipient).replace(namespace, '');
    const value = isAbsent(parameters) ? {} : parameters;
    return name === '' ? none : [{ name, arguments: value, argumentsText: JSON.stringify(value) }];
  });
}
