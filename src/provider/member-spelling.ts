/**
 * Servers and gateways written in Go, which stand behind every family that others speak too, take a member's name in any case, and with letters that fold to ASCII ones: for them
 * `Messages` is `messages`, and the later of the two counts. Everybody else sees two members, so an object
 * that uses such a spelling means two things. Pure.
 */
import { isRecord, type JsonRecord } from './json.ts';
import { note } from './reading.ts';

const shownCharsMax = 80;
/** Any other name is as it folds. */
const mayFold = /[^a-z0-9_]/;

/** Upper case first: U+017F and U+212A become S and K that way, as they do in Go's encoding/json. */
function folded(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/**
 * Notes every member of an object that such a server would take for one of `names`, though spelled otherwise.
 * Not to be asked of objects whose members are somebody else's, such as arguments.
 */
export function noteRespelled(value: unknown, names: ReadonlySet<string>, defects: string[]): void {
  if (!isRecord(value)) return;
  for (const name of Object.keys(value)) {
    if (names.has(name) || !mayFold.test(name) || !names.has(folded(name))) continue;
    note(
      defects,
      `the member ${JSON.stringify(name.slice(0, shownCharsMax))} may be read as \`${folded(name)}\``,
    );
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
const partMembers: ReadonlySet<string> = new Set(['type', 'text', 'content']);
const toolMembers: ReadonlySet<string> = new Set(['type', 'function', 'name', 'description']);

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The same for a conversation, as OpenAI and Anthropic write one: its messages or items, their parts, its tools. */
export function noteRespelledConversation(body: JsonRecord, defects: string[]): void {
  noteRespelled(body, conversationMembers, defects);
  for (const entry of [...listOf(body.messages), ...listOf(body.input)]) {
    noteRespelled(entry, entryMembers, defects);
    for (const part of isRecord(entry) ? listOf(entry.content) : [])
      noteRespelled(part, partMembers, defects);
  }
  for (const tool of listOf(body.tools)) {
    noteRespelled(tool, toolMembers, defects);
    if (isRecord(tool)) noteRespelled(tool.function, toolMembers, defects);
  }
}
