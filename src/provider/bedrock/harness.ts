/**
 * InvokeHarness of Bedrock's AgentCore
 * (https://docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_InvokeHarness.html): a loop of a model and its tools
 * that Amazon runs, streamed as ConverseStream streams, one message after the other. Tools of the workload's own come last,
 * and are its to run. Pure; hostile bytes in, facts and defects out.
 */
import type { ToolCallFact, ToolFact } from '../../core/facts.ts';
import type { OperationName, RequestReading } from '../protocol.ts';
import {
  addCall,
  boundedList,
  joined,
  modelName,
  note,
  openRequest,
  scalarParams,
  toolsMax,
  unreadResponse,
  usageSum,
} from '../reading/reading.ts';
import type { StreamReader } from '../reading/stream.ts';
import { isRecord, textOf } from '../wire/json.ts';
import { readConverseBody } from './converse.ts';
import { createConverseStreamReader } from './converse-stream.ts';

export const harness: OperationName = 'harnesses.invoke';

/** Messages of one answer; more is a defect. */
const turnsMax = 1_000;
const membersElsewhere: ReadonlySet<string> = new Set();

function readTools(list: unknown, defects: string[]): readonly ToolFact[] {
  return boundedList(list, toolsMax, '`tools`', defects).map((tool) => {
    const { name, type, config } = isRecord(tool) ? tool : {};
    const inline = isRecord(config) && isRecord(config.inlineFunction) ? config.inlineFunction : {};
    return { name: textOf(name) || textOf(type), description: textOf(inline.description) };
  });
}

/** The one model of whichever maker. */
function modelOf(model: unknown, defects: string[]): string {
  const configs = isRecord(model) ? Object.values(model).filter(isRecord) : [];
  if (configs.length > 1) note(defects, 'two models are named');
  return modelName(configs[0]?.modelId, defects);
}

/** Reads a request body. An empty one asks for nothing: no defect. */
export function readHarnessRequest(bytes: Buffer): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  if (body === null) return unread;
  const { facts } = readConverseBody({ system: body.systemPrompt, messages: body.messages }, defects);
  const model = modelOf(body.model, defects);
  const params = scalarParams(body, membersElsewhere);
  return {
    facts: { ...facts, model, stream: true, params, tools: readTools(body.tools, defects) },
    defects,
  };
}

/** After these the loop goes on with another message. */
const betweenTurns: ReadonlySet<string> = new Set(['tool_use', 'tool_result', 'partial_turn']);

/** Opens a reader for one stream. */
export function createHarnessStreamReader(status: number): StreamReader {
  const defects: string[] = [];
  let turns = [createConverseStreamReader(status)];

  function turn(event: string): ReturnType<typeof createConverseStreamReader> {
    const last = turns.at(-1);
    const isAnother = event === 'messageStart' && last?.reading().complete === true;
    if (last !== undefined && !isAnother) return last;
    if (turns.length >= turnsMax) note(defects, `more than ${turnsMax} messages`);
    const next = createConverseStreamReader(status);
    turns = [...turns, next];
    return next;
  }

  return {
    defects,
    absorbText: () => null,
    absorbEmpty: () => 'other',
    absorb(event, value) {
      // What a hook of the customer's decided about a call that is told besides.
      if (event === 'hookEvent') return 'other';
      const kind = turn(event).absorb(event, value);
      return kind === 'end' && betweenTurns.has(textOf(value.stopReason)) ? 'other' : kind;
    },
    reading() {
      const toolCalls: ToolCallFact[] = [];
      let { facts } = unreadResponse(status, '');
      let complete = false;
      for (const one of turns) {
        const reading = one.reading();
        for (const defect of one.defects) note(defects, defect);
        for (const { id, name, arguments: args, argumentsText, alsoAs } of reading.facts.toolCalls)
          addCall(toolCalls, defects, id, name, args, argumentsText, alsoAs);
        const usage = usageSum(facts.usage, reading.facts.usage);
        const text = joined(facts.text, reading.facts.text);
        facts = { ...reading.facts, text, usage, toolCalls };
        complete = reading.complete;
      }
      return { facts, defects, complete, failed: false };
    },
  };
}
