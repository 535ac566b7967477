/** Reads back what was understood of sealed messages, for those who look at them later. Pure. */
import type { CallReading, Instead, MessageFact, ToolCallFact, ToolFact } from '../../core/facts.ts';
import type { RequestReading, ResponseReading } from '../protocol.ts';
import { unreadRequest, unreadResponse, usageAbsent } from '../reading/reading.ts';
import { countOf, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { decodeSocketBody, type Understood } from './body.ts';

/** What the model was told, as rules judged it; a body that cannot be read is a defect. */
export function readSocketRequest(body: Buffer): RequestReading {
  const read = understood(body);
  if (typeof read === 'string') return unreadRequest(read);
  const { facts, defects } = read;
  return {
    facts: {
      model: textOf(facts.model),
      stream: facts.stream === true,
      params: isRecord(facts.params) ? facts.params : {},
      system: textOf(facts.system),
      messages: recordsIn(facts.messages).map(messageFact),
      text: textOf(facts.text),
      tools: recordsIn(facts.tools).map(toolFact),
      ...(Array.isArray(facts.insteads) ? { insteads: recordsIn(facts.insteads).map(insteadFact) } : {}),
    },
    defects,
  };
}

function insteadFact({ model, system, messages, text, tools, params }: JsonRecord): Instead {
  // One that has nothing else of its own is the same request with another model.
  if (messages === undefined) return { model: textOf(model) };
  return {
    model: textOf(model),
    params: isRecord(params) ? params : {},
    system: textOf(system),
    messages: recordsIn(messages).map(messageFact),
    text: textOf(text),
    tools: recordsIn(tools).map(toolFact),
  };
}

const okStatus = 200;

/** What an answer said, as rules judged it. */
export function readSocketAnswer(body: Buffer): ResponseReading {
  const read = understood(body);
  if (typeof read === 'string') return unreadResponse(okStatus, read);
  const { facts, defects } = read;
  const { usage } = facts;
  return {
    facts: {
      status: countOf(facts.status),
      model: textOf(facts.model),
      fingerprint: textOf(facts.fingerprint),
      text: textOf(facts.text),
      toolCalls: recordsIn(facts.toolCalls).map(callFact),
      finishReason: textOf(facts.finishReason),
      usage:
        isRecord(usage) && usage.source === 'provider'
          ? {
              source: 'provider',
              inputTokens: countOf(usage.inputTokens),
              outputTokens: countOf(usage.outputTokens),
              totalTokens: countOf(usage.totalTokens),
            }
          : usageAbsent,
      refusal: textOf(facts.refusal),
    },
    defects,
    complete: true,
    failed: false,
  };
}

function understood(body: Buffer): Understood | string {
  try {
    return decodeSocketBody(body).understood;
  } catch (error) {
    if (error instanceof RangeError) return `the sealed messages cannot be read: ${error.message}`;
    throw error;
  }
}

function recordsIn(value: unknown): readonly JsonRecord[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function callFact(call: JsonRecord): ToolCallFact {
  const { id, alsoAs } = call;
  const own = { id: textOf(id), ...callReading(call) };
  return Array.isArray(alsoAs) ? { ...own, alsoAs: recordsIn(alsoAs).map(callReading) } : own;
}

function callReading({ name, argumentsText, ...call }: JsonRecord): CallReading {
  return { name: textOf(name), arguments: call.arguments, argumentsText: textOf(argumentsText) };
}

function messageFact({ role, text, toolCalls }: JsonRecord): MessageFact {
  return { role: textOf(role), text: textOf(text), toolCalls: recordsIn(toolCalls).map(callFact) };
}

function toolFact({ name, description }: JsonRecord): ToolFact {
  return { name: textOf(name), description: textOf(description) };
}
