/**
 * Interactions: requests and whole answers (https://ai.google.dev/api/interactions-api). Pure; hostile bytes
 * in, facts and defects out.
 */
import type { MessageFact, ToolCallFact, ToolFact, UsageFacts } from '../../core/facts.ts';
import { consultedModels } from '../asked/consulted-models.ts';
import { alsoAsking } from '../asked/insteads.ts';
import type { RequestReading, ResponseReading } from '../protocol.ts';
import {
  boundedList,
  boundedRecords,
  joined,
  messagesMax,
  modelName,
  note,
  openAnswer,
  openRequest,
  scalarParams,
  streamFlag,
  toolCallsMax,
  toolsMax,
  usageAbsent,
} from '../reading/reading.ts';
import { countOf, isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { memberSources } from '../wire/json-source.ts';
import { listOf, memberOf } from './parts.ts';
import { addStepCall, blocksOf, inputText, isCallStep, saidWith } from './steps.ts';

/** Steps of one interaction. */
export const stepsMax = 4 * toolCallsMax;

const paramsElsewhere: ReadonlySet<string> = new Set(['model', 'stream', 'input', 'system_instruction']);

/** Nobody acts on a call of an earlier turn again, so what is wrong with it is no defect. */
function callsIn(entry: JsonRecord): readonly ToolCallFact[] {
  const calls: ToolCallFact[] = [];
  for (const block of [entry, ...listOf(entry['content'])]) {
    if (!isRecord(block) || !/_call$/.test(textOf(block['type']))) continue;
    addStepCall(block, { pieces: '' }, calls, []);
  }
  return calls;
}

function roleOf(entry: JsonRecord): string {
  const role = textOf(entry['role']);
  if (role !== '') return role;
  const type = textOf(entry['type']);
  return type === 'model_output' || type === 'thought' || type.endsWith('_call') ? 'model' : 'user';
}

function readInput(input: unknown, defects: string[]): readonly MessageFact[] {
  const messages: MessageFact[] = [];
  const entries = isAbsent(input) ? input : listOf(input);
  for (const entry of boundedList(entries, messagesMax, '`input`', defects)) {
    const text = inputText(entry);
    if (isRecord(entry)) messages.push({ role: roleOf(entry), text, toolCalls: callsIn(entry) });
    else if (typeof entry === 'string') messages.push({ role: 'user', text, toolCalls: [] });
    else note(defects, 'an entry of `input` is neither a text nor an object');
  }
  return messages;
}

/** The tools that are offered; of a server, where it is, and those of its tools that are allowed by name. */
function readTools(list: unknown, defects: string[]): readonly ToolFact[] {
  return boundedRecords(list, toolsMax, '`tools`', defects).flatMap((tool) => {
    const name = textOf(tool['name']) || textOf(tool['type']);
    const description = joined(textOf(tool['description']), textOf(tool['url']));
    const allowed = listOf(tool['allowed_tools']).flatMap((one) =>
      isRecord(one) ? listOf(one['tools']) : [],
    );
    return [
      { name, description },
      ...allowed.slice(0, toolsMax).map((of) => ({ name: textOf(of), description: name })),
    ];
  });
}

/** What a file holds that is put before an agent: its words, or those that its base64 spells. */
export function sourceText({ content, encoding }: JsonRecord): string {
  const written = textOf(content);
  return /base64/i.test(textOf(encoding)) ? Buffer.from(written, 'base64').toString('utf8') : written;
}

/** Files that are put before an agent, its instructions and skills among them (https://ai.google.dev/gemini-api/docs/custom-agents). */
function filesText(environment: unknown): string {
  const sources = isRecord(environment) ? listOf(environment['sources']) : [];
  return sources.filter(isRecord).map(sourceText).reduce(joined, '');
}

/** Reads a request body. An empty one asks for nothing: no defect. */
export function readInteractionRequest(bytes: Buffer): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  if (body === null) return unread;
  const instructed = inputText(memberOf(body, 'systemInstruction', defects));
  const system = joined(instructed, filesText(body['environment']));
  const messages = readInput(body['input'], defects);
  const config = memberOf(body, 'generationConfig', defects);
  const own = scalarParams(body, paramsElsewhere);
  const facts = {
    // An agent is what answers where no model is named.
    model: modelName(body['model'] ?? body['agent'], defects),
    stream: streamFlag(body['stream'], defects),
    params: isRecord(config) ? { ...own, ...scalarParams(config, new Set()) } : own,
    system,
    messages,
    text: messages.reduce((text, message) => joined(text, message.text), system),
    tools: readTools(body['tools'], defects),
  };
  const agent = { agent_config: memberOf(body, 'agentConfig', defects) };
  return { facts: alsoAsking(facts, [textOf(body['agent']), ...consultedModels(agent, defects)]), defects };
}

/** Thinking and what Google's own tools read are counted apart. */
export function readInteractionUsage(usage: unknown): UsageFacts {
  if (!isRecord(usage)) return usageAbsent;
  const inputTokens = countOf(usage['total_input_tokens']) + countOf(usage['total_tool_use_tokens']);
  const outputTokens = countOf(usage['total_output_tokens']) + countOf(usage['total_thought_tokens']);
  const total = usage['total_tokens'];
  const totalTokens = typeof total === 'number' ? countOf(total) : inputTokens + outputTokens;
  return { source: 'provider', inputTokens, outputTokens, totalTokens };
}

/** What the steps of an interaction say and ask for. */
export interface StepsRead {
  readonly text: string;
  readonly toolCalls: readonly ToolCallFact[];
}

/**
 * Reads whole steps; their calls are added to `toolCalls`. `sourceOf` finds how the arguments of the step at a
 * place were written.
 */
export function readSteps(
  list: unknown,
  defects: string[],
  sourceOf: (place: number) => string | undefined = () => undefined,
  toolCalls: ToolCallFact[] = [],
): StepsRead {
  let text = '';
  const steps = boundedList(list, stepsMax, '`steps`', defects);
  for (let i = 0; i < steps.length; i += 1) {
    const step = steps[i];
    if (!isRecord(step)) {
      note(defects, 'an entry of `steps` is not an object');
    } else if (isCallStep(textOf(step['type']))) {
      addStepCall(step, { pieces: '', source: sourceOf(i) }, toolCalls, defects);
    } else if (textOf(step['type']) !== 'user_input') {
      let said = '';
      for (const block of blocksOf(step, defects)) {
        if (isCallStep(textOf(block['type']))) addStepCall(block, { pieces: '' }, toolCalls, defects);
        else said = saidWith(said, block);
      }
      text = joined(text, said);
    }
  }
  return { text, toolCalls };
}

/** The member that holds the steps: the API's first revision called them outputs. */
export function stepsKey(interaction: JsonRecord): 'steps' | 'outputs' {
  return isAbsent(interaction['steps']) && !isAbsent(interaction['outputs']) ? 'outputs' : 'steps';
}

/** Reads a whole answer of status below 400. */
export function readInteraction(status: number, bytes: Buffer): ResponseReading {
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  const failed = !isAbsent(body['error']);
  const key = stepsKey(body);
  // One that runs in the background, or is stored without its steps, has a status alone.
  if (isAbsent(body[key]) && typeof body['status'] !== 'string' && !failed) {
    note(defects, 'the answer has no `steps`');
  }
  if (!isAbsent(body['steps']) && !isAbsent(body['outputs'])) {
    note(defects, 'the answer has both `steps` and `outputs`');
  }
  let sources: ReadonlyMap<number, string> | null = null;
  const read = readSteps(body[key], defects, (place) => {
    sources ??= memberSources(bytes.toString('utf8'), key, 'arguments');
    return sources.get(place);
  });
  const facts = {
    status,
    model: textOf(body['model']) || textOf(body['agent']),
    fingerprint: '',
    ...read,
    finishReason: textOf(body['status']),
    usage: readInteractionUsage(body['usage']),
    refusal: '',
  };
  return { facts, defects, complete: true, failed };
}
