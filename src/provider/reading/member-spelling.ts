/**
 * Servers and gateways written in Go, which stand behind every family that others speak too, take a member's name in any
 * case, and with letters that fold to ASCII ones: for them `Messages` is `messages`, and the later of the two counts. Everybody else sees two members, so an object
 * that uses such a spelling means two things. Pure.
 */
import { folded, respelledAs } from '../wire/folded-name.ts';
import { isRecord, type JsonRecord } from '../wire/json.ts';
import { note } from './reading.ts';

/**
 * Notes every member of an object that such a server would take for one of `names`, though spelled otherwise.
 * Not to be asked of objects whose members are somebody else's, such as arguments.
 */
export function noteRespelled(value: unknown, names: ReadonlySet<string>, defects: string[]): void {
  if (!isRecord(value)) return;
  for (const name of Object.keys(value)) {
    const meant = names.has(name) ? name : folded(name);
    if (meant !== name && names.has(meant)) note(defects, respelledAs(name, meant));
  }
}

const conversationMembers: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'input',
  'instructions',
  'prompt',
  'system',
  'stream',
  'tools',
  'functions',
]);
const entryMembers: ReadonlySet<string> = new Set([
  'type',
  'role',
  'content',
  'tool_calls',
  'arguments',
  'output',
]);
const partMembers: ReadonlySet<string> = new Set([
  'type',
  'text',
  'thinking',
  'content',
  'source',
  'data',
  'title',
  'context',
  'name',
  'input',
]);
const toolMembers: ReadonlySet<string> = new Set(['type', 'function', 'name', 'description']);

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Parts have parts of their own: what a tool gave back, what a document is made of. */
function noteRespelledParts({ content, output, source }: JsonRecord, defects: string[]): void {
  for (const part of [...listOf(content), ...listOf(output), source]) {
    noteRespelled(part, partMembers, defects);
    if (isRecord(part)) noteRespelledParts(part, defects);
  }
}

/** The same for a conversation, as OpenAI and Anthropic write one: its messages or items, their parts, its tools. */
export function noteRespelledConversation(body: JsonRecord, defects: string[]): void {
  noteRespelled(body, conversationMembers, defects);
  for (const entry of [...listOf(body.messages), ...listOf(body.input)]) {
    noteRespelled(entry, entryMembers, defects);
    if (isRecord(entry)) noteRespelledParts(entry, defects);
  }
  for (const tool of listOf(body.tools)) {
    noteRespelled(tool, toolMembers, defects);
    if (isRecord(tool)) noteRespelled(tool.function, toolMembers, defects);
  }
}
