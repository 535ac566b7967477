/** What else a call is known as: by the name its tool has where it runs, and with its namespace before its name. Pure. */
import type { CallReading } from '../core/facts.ts';
import { isAbsent, isRecord, type JsonRecord, readJsonText, textOf } from './json.ts';

/** The same call with its namespace, its server or its set of tools before its name; nothing where it is of none. */
export function qualified(scope: unknown, call: CallReading): readonly CallReading[] {
  const within = textOf(scope);
  return within === '' ? [] : [{ ...call, name: `${within}.${call.name}` }];
}

/** Where kinds of calls have the tool's arguments. */
const argumentMembers = ['arguments', 'input'] as const;
/** Whose the tool is. */
const scopeMembers = ['server_label', 'server_name', 'namespace'] as const;

/**
 * The tool that a call of a kind of its own names, such as one on a server that the provider calls; nothing where it names
 * none. `own` are the members of that call; argument text that does not parse is for the caller to note.
 */
export function toolNamedIn(own: JsonRecord): readonly CallReading[] {
  const name = textOf(own.name);
  if (name === '') return [];
  const member = argumentMembers.find((one) => !isAbsent(own[one]));
  const call = { name, ...(member === undefined ? handedBeside(own) : handedIn(own[member], member)) };
  return [call, ...scopeMembers.flatMap((scope) => qualified(own[scope], call))];
}

type Handed = Omit<CallReading, 'name'>;

function handedBeside(own: JsonRecord): Handed {
  const { name: _name, ...beside } = own;
  return { arguments: beside, argumentsText: JSON.stringify(beside) };
}

function handedIn(written: unknown, member: string): Handed {
  if (typeof written !== 'string') return { arguments: written, argumentsText: JSON.stringify(written) };
  const { value } = readJsonText(written, 'the arguments');
  return {
    arguments: isRecord(value) ? value : written === '' ? {} : { [member]: written },
    argumentsText: written,
  };
}
