/**
 * Anthropic's managed agents (https://platform.claude.com/docs/en/managed-agents/overview): what an agent, a session
 * or a deployment is made of, the events that a workload sends into a session, and the log of events it reads back.
 * Pure; hostile bytes in, facts and defects out.
 *
 * A call in the log that the provider ran itself is not judged again. One that the workload answered or confirmed is: it
 * may have done so without having seen the call.
 */
import type { MessageFact, ToolCallFact, UsageFacts } from '../../core/facts.ts';
import { withConsulted } from '../asked/fallback-models.ts';
import type { RequestReading, ResponseReading } from '../protocol.ts';
import { qualified } from '../reading/call-readings.ts';
import { promptOf } from '../reading/prompt.ts';
import {
  addCall,
  boundedList,
  boundedRecords,
  joined,
  messagesMax,
  note,
  openAnswer,
  openRequest,
  scalarParams,
  textWithin,
  unreadRequest,
  unreadResponse,
  usageAbsent,
  usageSum,
} from '../reading/reading.ts';
import { routeSegments } from '../route.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { blocksText, readMessagesUsage, refusalText } from './messages.ts';
import { readServers, readTools } from './offered-tools.ts';

const eventsMax = 10_000;
const resourcesMax = 1_000;

/** What a workload sends into a session. */
function readSent(list: unknown, what: string, defects: string[]): readonly MessageFact[] {
  return boundedRecords(list, messagesMax, what, defects).map((event) => {
    const type = textOf(event.type);
    const said = joined(
      blocksText(event.content),
      joined(textOf(event.description), textWithin(event.rubric)),
    );
    const text = joined(said, textOf(event.deny_message));
    if (type === 'system.message') return { role: 'system', text, toolCalls: [] };
    return { role: /tool/.test(type) ? 'tool' : 'user', text, toolCalls: [] };
  });
}

/** A model is a name, or an object with it. */
function modelOf(model: unknown, defects: string[]): string {
  const name = isRecord(model) ? model.id : model;
  if (!isAbsent(name) && typeof name !== 'string') note(defects, '`model` is not a text');
  return textOf(name);
}

/** Tools that a workload confirms: their calls run on its word. */
function confirmed(list: unknown): number {
  const events: readonly unknown[] = Array.isArray(list) ? list : [];
  const allows = (event: unknown) =>
    isRecord(event) && event.type === 'user.tool_confirmation' && event.result === 'allow';
  return events.filter(allows).length;
}

const paramsElsewhere: ReadonlySet<string> = new Set(['model', 'system', 'instructions']);

/** Reads the body that makes or changes an agent, a session, a deployment or a dream, or that sends events. */
export function readManagedRequest(bytes: Buffer): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  if (body === null) return unread;
  // A session may change the agent that it is of.
  const agent = isRecord(body.agent) ? body.agent : {};
  const own = [agent, body];
  const messages = [
    ...readSent(body.initial_events, '`initial_events`', defects),
    ...readSent(body.events, '`events`', defects),
  ];
  // How the agent is to use a store of memories is told to it with the resource that is one.
  const resources = boundedRecords(body.resources, resourcesMax, '`resources`', defects);
  const instructed = [...own, ...resources].reduce(
    (before, { system: said, instructions }) =>
      joined(before, joined(blocksText(said), textOf(instructions))),
    '',
  );
  const { system, conversation } = promptOf(instructed, messages);
  const confirms = confirmed(body.events);
  const params = scalarParams(body, paramsElsewhere);
  const named = own.map(({ model }) => modelOf(model, defects)).find((name) => name !== '');
  const facts = {
    ...unreadRequest('').facts,
    // An agent by its id alone is made of a model that nobody can tell from outside.
    model: named ?? modelOf(body.agent, defects),
    params: confirms === 0 ? params : { ...params, confirms },
    system,
    messages,
    text: joined(system, conversation),
    tools: own.flatMap((one) => [...readTools(one.tools, defects), ...readServers(one.mcp_servers, defects)]),
  };
  return { facts: withConsulted(body, facts, defects), defects };
}

/** Reads what starts a session of a deployment: the path names it, and which agent it runs nobody sees. */
export function readDeploymentRun(bytes: Buffer, path: string): RequestReading {
  const { body, defects } = openRequest(bytes);
  const model = routeSegments(path).slice(-3, -1).join('/');
  const params = body === null ? {} : scalarParams(body, new Set());
  return { facts: { ...unreadRequest('').facts, model, params }, defects };
}

/** The ids of calls whose result the provider wrote in the same log. */
function runIn(events: readonly unknown[]): ReadonlySet<string> {
  const ids = events.flatMap((event) => {
    if (!isRecord(event)) return [];
    if (event.type === 'agent.tool_result') return [textOf(event.tool_use_id)];
    return event.type === 'agent.mcp_tool_result' ? [textOf(event.mcp_tool_use_id)] : [];
  });
  return new Set(ids.filter((id) => id !== ''));
}

/** What events of a session said. */
export interface Told {
  text: string;
  finishReason: string;
  refusal: string;
  usage: UsageFacts;
  readonly toolCalls: ToolCallFact[];
}

export function nothingTold(): Told {
  return { text: '', finishReason: '', refusal: '', usage: usageAbsent, toolCalls: [] };
}

/** Events that carry no call of the agent's. */
const harmless =
  /^(agent\.(message|thinking|tool_result|mcp_tool_result|thread_\w+)|user\.\w+|system\.message|span\.\w+|session\.\w+|workflow_run\.\w+|event_start|event_delta)$/;

/** True for an event of a kind that is not known: it may carry a call. */
export function isUnknownEvent(type: string): boolean {
  return !type.endsWith('tool_use') && !harmless.test(type);
}

/** Takes what is not known in: a call, where it has a call's members. */
export function absorbUnknownEvent(type: string, event: JsonRecord, told: Told, defects: string[]): void {
  if (!('input' in event) && !('name' in event)) return;
  const { id, name, input } = event;
  const value = input ?? {};
  addCall(told.toolCalls, defects, textOf(id), textOf(name) || type, value, JSON.stringify(value));
}

/** Takes one event of a session in, live or from its log. */
export function absorbEventOfSession(
  type: string,
  event: JsonRecord,
  told: Told,
  run: ReadonlySet<string>,
  defects: string[],
): void {
  if (isUnknownEvent(type)) {
    if (!run.has(textOf(event.id))) absorbUnknownEvent(type, event, told, defects);
  } else if (type.endsWith('tool_use')) {
    if (run.has(textOf(event.id))) return;
    if (!isRecord(event.input)) note(defects, 'the input of a tool call is not an object');
    const value = isRecord(event.input) ? event.input : {};
    const call = { name: textOf(event.name), arguments: value, argumentsText: JSON.stringify(value) };
    const alsoAs = qualified(event.mcp_server_name, call);
    addCall(told.toolCalls, defects, textOf(event.id), call.name, value, call.argumentsText, alsoAs);
  } else if (type === 'agent.message') {
    told.text = joined(told.text, blocksText(event.content));
  } else if (type === 'session.status_idle') {
    told.finishReason = isRecord(event.stop_reason) ? textOf(event.stop_reason.type) : '';
    told.refusal = refusalText(event.stop_details);
  } else if (type === 'span.model_request_end') {
    told.usage = usageSum(told.usage, readMessagesUsage(event.model_usage));
  }
}

/** Reads a page of a session's log, of status below 400. */
export function readSessionLog(status: number, bytes: Buffer): ResponseReading {
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  const events = boundedList(body.data, eventsMax, '`data`', defects);
  const run = runIn(events);
  const told = nothingTold();
  for (const event of events) {
    if (isRecord(event)) absorbEventOfSession(textOf(event.type), event, told, run, defects);
    else note(defects, 'an entry of `data` is not an object');
  }
  const facts = { ...unreadResponse(status, '').facts, ...told };
  return { facts, defects, complete: true, failed: !isAbsent(body.error) };
}
