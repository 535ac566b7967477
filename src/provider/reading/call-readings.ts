/** What else a call is known as: by the name its tool has where it runs, and with its namespace before its name. Pure. */
import type { CallReading, ToolCallFact } from '../../core/facts.ts';
import { isAbsent, isRecord, type JsonRecord, readJsonText, textOf } from '../wire/json.ts';
import { note } from './reading.ts';

/** The same call with its namespace, its server or its set of tools before its name; nothing where it is of none. */
export function qualified(scope: unknown, call: CallReading): readonly CallReading[] {
  const within = textOf(scope);
  return within === '' ? [] : [{ ...call, name: `${within}.${call.name}` }];
}

/** Whose tool a block of Anthropic's calls: a server's, or a set's; '' for the workload's own. */
export function scopeOfBlock({ server_name: server, toolset_name: set }: JsonRecord): string {
  return textOf(server) || textOf(set);
}

/** Every name that rules see a call by, as one text: equal texts are the same tool's. */
export function namesOf({ name, alsoAs = [] }: ToolCallFact): string {
  return JSON.stringify([name, ...alsoAs.map((other) => other.name)]);
}

/** Where kinds of calls have the tool's arguments. */
const argumentMembers = ['arguments', 'input'] as const;
/** Whose the tool is. */
const scopeMembers = ['server_label', 'serverLabel', 'server_name', 'namespace'] as const;
/** Which tool of whoever's it is; OpenRouter's servers have it in either spelling. */
const nameMembers = ['name', 'tool_name', 'toolName'] as const;

/**
 * The tool that a call of a kind of its own names, such as one on a server that the provider calls; nothing where it names
 * none. `own` are the members of that call. Arguments that are no JSON may be a text as it is; such as mean two things are a defect.
 */
export function toolNamedIn(own: JsonRecord, defects: string[]): readonly CallReading[] {
  const named = nameMembers.find((one) => textOf(own[one]) !== '');
  if (named === undefined) return [];
  const name = textOf(own[named]);
  const member = argumentMembers.find((one) => !isAbsent(own[one]));
  const call = {
    name,
    ...(member === undefined ? handedBeside(own, named) : handedIn(own[member], member, defects)),
  };
  return [call, ...scopeMembers.flatMap((scope) => qualified(own[scope], call))];
}

type Handed = Omit<CallReading, 'name'>;

function handedBeside(own: JsonRecord, named: string): Handed {
  const { [named]: _name, ...beside } = own;
  return { arguments: beside, argumentsText: JSON.stringify(beside) };
}

function handedIn(written: unknown, member: string, defects: string[]): Handed {
  if (typeof written !== 'string') return { arguments: written, argumentsText: JSON.stringify(written) };
  const { value, defect } = readJsonText(written, 'the argument text of a tool call');
  if (value !== undefined) note(defects, defect);
  return {
    arguments: isRecord(value) ? value : written === '' ? {} : { [member]: written },
    argumentsText: written,
  };
}
