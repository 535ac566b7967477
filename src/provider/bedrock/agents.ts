/**
 * Bedrock's agents and knowledge bases
 * (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Agents_for_Amazon_Bedrock_Runtime.html):
 * InvokeAgent, InvokeInlineAgent, RetrieveAndGenerate and its stream. What an agent hands back to the workload to do
 * (`returnControl`) is a tool call. What runs as Lambda functions, in Amazon's interpreter or by another agent has run; where the
 * workload has traces sent, they tell of it, and it is a call too. Pure; hostile bytes in, facts and defects out.
 */
import type { ToolCallFact, ToolFact } from '../../core/facts.ts';
import type { OperationName, RequestReading, ResponseReading } from '../protocol.ts';
import {
  addCall,
  boundedList,
  joined,
  modelName,
  note,
  openAnswer,
  openRequest,
  scalarParams,
  textWithin,
  toolCallsMax,
  toolsMax,
  unreadRequest,
  unreadResponse,
} from '../reading/reading.ts';
import type { StreamEventKind, StreamReader } from '../reading/stream.ts';
import { routeSegments } from '../route.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { withModelsWithin } from './agent-models.ts';
import { keepAliveEventType } from './frames.ts';

/** The operation of a path; null for one of the runtime of models. */
export function agentOperationOf(path: string): OperationName | null {
  const segments = routeSegments(path);
  const last = segments.at(-1) ?? '';
  if (last === 'retrieveandgenerate' || last === 'retrieveandgeneratestream') return 'retrieve_and_generate';
  const isNamed = last === 'text' && segments.at(-3) === 'sessions' && segments.at(-5) === 'agentaliases';
  return isNamed || segments.at(-2) === 'agents' ? 'agents.invoke' : null;
}

/** Functions that an inline agent may call; of an API its groups, as its schema is a text or a file. */
function readGroups(list: unknown, defects: string[]): readonly ToolFact[] {
  return boundedList(list, toolsMax, '`actionGroups`', defects).flatMap((group) => {
    const { actionGroupName, description, functionSchema, apiSchema } = isRecord(group) ? group : {};
    const functions = isRecord(functionSchema) ? functionSchema.functions : undefined;
    const whole = {
      name: textOf(actionGroupName),
      description: joined(textOf(description), textWithin(apiSchema)),
    };
    if (isAbsent(functions)) return [whole];
    return boundedList(functions, toolsMax, '`functions`', defects).map((one) => {
      const { name, description: said } = isRecord(one) ? one : {};
      return { name: textOf(name), description: textOf(said) };
    });
  });
}

/** Of the agent, and of those that it has at its side; they have none of their own. */
function groupsWithin(body: JsonRecord, defects: string[]): readonly ToolFact[] {
  const others = boundedList(body.collaborators, toolsMax, '`collaborators`', defects).filter(isRecord);
  return [body, ...others]
    .flatMap(({ actionGroups }) => readGroups(actionGroups, defects))
    .slice(0, toolsMax);
}

function member(value: unknown): JsonRecord {
  return isRecord(value) ? value : {};
}

/** The model that writes from what was found, in the one place or the other. */
function generator(body: JsonRecord): unknown {
  const config = isRecord(body.retrieveAndGenerateConfiguration) ? body.retrieveAndGenerateConfiguration : {};
  for (const name of ['knowledgeBaseConfiguration', 'externalSourcesConfiguration']) {
    const member = config[name];
    if (isRecord(member) && !isAbsent(member.modelArn)) return member.modelArn;
  }
  return undefined;
}

/** Prompts that are put around what was found and asked, for each step that has one of its own. */
function templatesIn(value: unknown): string {
  if (Array.isArray(value)) return value.map(templatesIn).reduce(joined, '');
  if (!isRecord(value)) return '';
  return Object.entries(value)
    .map(([name, member]) => (name === 'textPromptTemplate' ? textOf(member) : templatesIn(member)))
    .reduce(joined, '');
}

const paramsElsewhere: ReadonlySet<string> = new Set(['inputText', 'instruction', 'foundationModel']);

/** Reads a request body. An empty one asks for nothing: no defect. */
export function readAgentRequest(bytes: Buffer, path: string): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  if (body === null) return unread;
  const toOthers = [body.promptOverrideConfiguration, body.collaborators, body.collaboratorConfigurations];
  const around = templatesIn(body.retrieveAndGenerateConfiguration);
  const system = toOthers.map(textWithin).reduce(joined, joined(textOf(body.instruction), around));
  let text = joined(textOf(body.inputText), textWithin(body.input));
  const given = member(member(body.retrieveAndGenerateConfiguration).externalSourcesConfiguration).sources;
  for (const state of [body.sessionState, body.inlineSessionState, given])
    text = joined(text, textWithin(state));
  const facts = {
    ...unreadRequest('').facts,
    model: modelName(body.foundationModel ?? generator(body), defects),
    // Agents always answer in frames.
    stream: !/retrieveandgenerate\/?$/i.test(path),
    params: scalarParams(body, paramsElsewhere),
    system,
    messages: text === '' ? [] : [{ role: 'user', text, toolCalls: [] }],
    text: joined(system, text),
    tools: groupsWithin(body, defects),
  };
  return { facts: withModelsWithin(body, facts, defects), defects };
}

/** Parameters as one object. Of two of one name a workload may take the other. */
function argumentsOf(list: unknown, into: Map<string, unknown>, defects: string[]): void {
  for (const parameter of boundedList(list, toolCallsMax, '`parameters`', defects)) {
    const { name, value } = isRecord(parameter) ? parameter : {};
    if (typeof name !== 'string' || name === '__proto__')
      note(defects, 'a parameter of a tool call has no name');
    else if (into.has(name)) note(defects, 'two parameters of a tool call have the same name');
    else into.set(name, value);
  }
}

/** A function by its name, an API by its method and path; each with its group before it, as servers' tools have. */
function addInput(input: unknown, into: ToolCallFact[], defects: string[]): void {
  const { functionInvocationInput: fn, apiInvocationInput: api } = isRecord(input) ? input : {};
  const said = isRecord(fn) ? fn : api;
  // Botocore refuses both, and whoever reads the other first carries that out.
  if (isRecord(fn) && isRecord(api)) note(defects, 'an invocation of an agent is a function and an API');
  if (!isRecord(said)) {
    note(defects, 'an invocation of an agent is neither a function nor an API');
    return;
  }
  const values = new Map<string, unknown>();
  argumentsOf(said.parameters, values, defects);
  const content = isRecord(said.requestBody) ? said.requestBody.content : undefined;
  for (const body of isRecord(content) ? Object.values(content) : []) {
    argumentsOf(isRecord(body) ? body.properties : undefined, values, defects);
  }
  const name = isRecord(fn)
    ? textOf(fn.function)
    : `${textOf(said.httpMethod)} ${textOf(said.apiPath)}`.trim();
  addGroupCall(textOf(said.actionGroup), name, Object.fromEntries(values), into, defects);
}

function addGroupCall(
  group: string,
  name: string,
  value: JsonRecord,
  into: ToolCallFact[],
  defects: string[],
): void {
  const call = { name, arguments: value, argumentsText: JSON.stringify(value) };
  if (group === '') addCall(into, defects, '', name, value, call.argumentsText);
  else addCall(into, defects, '', `${group}__${name}`, value, call.argumentsText, [call]);
}

/** What Amazon ran, as an action's trace has it (API_agent-runtime_ActionGroupInvocationInput). */
function addAction(action: JsonRecord, into: ToolCallFact[], defects: string[]): void {
  // What the workload is to run is told besides, as that.
  if (action.executionType === 'RETURN_CONTROL') return;
  const values = new Map<string, unknown>();
  argumentsOf(action.parameters, values, defects);
  const content = isRecord(action.requestBody) ? action.requestBody.content : undefined;
  for (const list of isRecord(content) ? Object.values(content) : []) argumentsOf(list, values, defects);
  const name = textOf(action.function) || `${textOf(action.verb)} ${textOf(action.apiPath)}`.trim();
  addGroupCall(textOf(action.actionGroupName), name, Object.fromEntries(values), into, defects);
}

/** What a trace says was begun, by whichever kind of trace (API_agent-runtime_InvocationInput). */
function addTraced(event: JsonRecord, into: ToolCallFact[], defects: string[]): void {
  for (const trace of isRecord(event.trace) ? Object.values(event.trace) : []) {
    const input = isRecord(trace) ? trace.invocationInput : undefined;
    for (const [kind, said] of isRecord(input) ? Object.entries(input) : []) {
      if (!isRecord(said)) continue;
      if (kind === 'actionGroupInvocationInput') addAction(said, into, defects);
      else {
        const name = kind === 'codeInterpreterInvocationInput' ? 'code_interpreter' : kind;
        addCall(into, defects, '', name, said, JSON.stringify(said));
      }
    }
  }
}

/** Reads a whole answer of status below 400: that of RetrieveAndGenerate. */
export function readGeneratedResponse(status: number, bytes: Buffer): ResponseReading {
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  if (!isRecord(body.output)) note(defects, 'the answer has no `output`');
  const text = isRecord(body.output) ? textOf(body.output.text) : '';
  const facts = { ...unreadResponse(status, '').facts, text, finishReason: textOf(body.guardrailAction) };
  return { facts, defects, complete: true, failed: false };
}

const passedOver: ReadonlySet<string> = new Set(['initial-response', keepAliveEventType]);

/** Opens a reader for one stream of either operation. It has no last event of its own. */
export function createAgentStreamReader(status: number): StreamReader {
  const defects: string[] = [];
  const toolCalls: ToolCallFact[] = [];
  const pieces: Buffer[] = [];
  let generated = '';
  let finishReason = '';

  function absorbControl(value: JsonRecord): StreamEventKind {
    const inputs = boundedList(value.invocationInputs, toolCallsMax, '`invocationInputs`', defects);
    for (const input of inputs) addInput(input, toolCalls, defects);
    return 'tool';
  }

  return {
    defects,
    absorbText: () => null,
    absorbEmpty: () => 'other',
    absorb(type, value) {
      if (passedOver.has(type)) return 'other';
      if (type === 'returnControl') return absorbControl(value);
      if (type === 'trace') {
        addTraced(value, toolCalls, defects);
        return 'tool';
      }
      if (type === 'chunk') {
        // A character may be cut in two by the end of a chunk.
        const bytes = Buffer.from(textOf(value.bytes), 'base64');
        pieces.push(bytes);
        // Python passes over characters that Node takes for others.
        const isPlain = isAbsent(value.bytes) || bytes.toString('base64') === value.bytes;
        if (!isPlain) note(defects, 'the bytes of a chunk are not plain base64');
        return isPlain ? 'text' : 'tool';
      }
      if (type === 'output') {
        generated += textOf(value.text);
        return 'text';
      }
      // Files that the agent made, and where its words come from.
      if (type === 'files' || type === 'citation') return 'text';
      if (type === 'guardrail') {
        finishReason = textOf(value.action);
        return 'other';
      }
      note(defects, 'an event of the stream has an unknown type');
      return 'tool';
    },
    reading() {
      const text = joined(Buffer.concat(pieces).toString('utf8'), generated);
      const facts = { ...unreadResponse(status, '').facts, text, toolCalls, finishReason };
      return { facts, defects, complete: true, failed: false };
    },
  };
}
