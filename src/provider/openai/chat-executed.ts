/**
 * Tools that a provider ran itself while it answered a chat: Groq lists them in `executed_tools`, OpenRouter among what was
 * thought (https://console.groq.com/docs/tool-use/built-in-tools, https://openrouter.ai/docs/guides/features/server-tools).
 * They are calls as those in a Responses answer are. Pure.
 */
import type { ToolCallFact } from '../../core/facts.ts';
import { toolNamedIn } from '../reading/call-readings.ts';
import { addCall, boundedList, note, toolCallsMax } from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';

const serverCall = 'reasoning.server_tool_call';

/** What came of a call, which streams tell later than the call; and where it stands among others. */
const membersThatVary: ReadonlySet<string> = new Set([
  'output',
  'result',
  'status',
  'browser_results',
  'code_results',
  'search_results',
]);

/** The entries of a message, or of a piece of one, that tell such a call; what is no object is a doubt. */
export function executedIn(message: JsonRecord, defects: string[]): readonly JsonRecord[] {
  const { executed_tools: executed, reasoning_details: details } = message;
  if (isAbsent(executed) && isAbsent(details)) return [];
  const of = (list: unknown, what: string): readonly JsonRecord[] =>
    boundedList(list, toolCallsMax, what, defects).flatMap((entry) => {
      if (isRecord(entry)) return [entry];
      note(defects, `an entry of ${what} is not an object`);
      return [];
    });
  return [
    ...of(executed, '`executed_tools`'),
    // A kind that nobody knows yet may be another such call.
    ...of(details, '`reasoning_details`').filter(({ type }) => !isThought(textOf(type))),
  ];
}

function isThought(type: string): boolean {
  return ['', 'reasoning.text', 'reasoning.summary', 'reasoning.encrypted'].includes(type);
}

/** What a call asks for, by which a stream that tells it again is known to tell the same. */
function askedBy(entry: JsonRecord): string {
  const asked = Object.entries(entry).filter(
    ([name, value]) => !membersThatVary.has(name) && !isAbsent(value),
  );
  return JSON.stringify(asked.sort(([x], [y]) => (x < y ? -1 : 1)));
}

/** Adds to `into` what was not told before. */
export function addTold(
  entries: readonly JsonRecord[],
  into: Map<string, JsonRecord>,
  defects: string[],
): void {
  for (const entry of entries) {
    if (into.size > toolCallsMax) note(defects, `more than ${toolCallsMax} tool calls`);
    else into.set(askedBy(entry), entry);
  }
}

/** Adds the call that an entry tells, by its tool's name, or by its kind and its tool's name besides. */
export function addExecuted(entry: JsonRecord, into: ToolCallFact[], defects: string[]): void {
  const { type, id, tool_call_id: callId, tool_name: tool, name, arguments: args, input } = entry;
  const given = textOf(name) || textOf(tool);
  const kind = textOf(type) === serverCall ? given : textOf(type) || given;
  const handed = isAbsent(args) ? input : args;
  const [call] = toolNamedIn({ name: kind, arguments: handed ?? {} }, defects);
  const own = { ...entry, name: given === kind ? '' : given };
  const { arguments: value, argumentsText } = call ?? { arguments: {}, argumentsText: '' };
  addCall(into, defects, textOf(callId) || textOf(id), kind, value, argumentsText, toolNamedIn(own, defects));
}
