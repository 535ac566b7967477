/** What a request's `tools` offer: tools, and servers whose tools may be called (MCP). Pure. */
import { addressWithout } from '../../core/address-keys.ts';
import type { ToolFact } from '../../core/facts.ts';
import { removedValue } from '../../core/http-message.ts';
import { boundedList, joined, note, toolsMax } from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';

/** Which server an entry stands for, and where that is. */
const serverMembers = ['server_label', 'server_url', 'connector_id', 'server_description'] as const;

/** Where a server is, without the key that it may take there: what is offered is shown and sealed. */
export function serverAddress(url: unknown): string {
  return addressWithout(textOf(url), removedValue);
}

/** Which tools of its server an entry allows: OpenAI's in either form, and those of a connector of Mistral's. */
function allowedBy({ allowed_tools: allowed, tool_configuration: limits }: JsonRecord): unknown {
  if (isRecord(limits) && isAbsent(allowed)) return limits.include;
  return isRecord(allowed) ? allowed.tool_names : allowed;
}

/** The entry by its name, or by its type where it has none; of a server, the tools that the entry allows by name besides. */
export function offeredBy(tool: JsonRecord): readonly ToolFact[] {
  const server = serverMembers
    .map((member) => (member === 'server_url' ? serverAddress(tool[member]) : textOf(tool[member])))
    .reduce(joined, '');
  const own = {
    name: textOf(tool.name) || textOf(tool.type),
    description: joined(textOf(tool.description), server),
  };
  const names = allowedBy(tool);
  if (!Array.isArray(names)) return [own];
  const allowedByName = names.slice(0, toolsMax).map((name: unknown) => textOf(name));
  return [
    own,
    ...allowedByName.map((name) => ({
      name,
      description: textOf(tool.server_label) || textOf(tool.connector_id),
    })),
  ];
}

/** What a chat offers, in either generation of its form. */
export function chatTools(body: JsonRecord, defects: string[]): readonly ToolFact[] {
  const tools: ToolFact[] = [];
  for (const tool of boundedList(body.tools, toolsMax, '`tools`', defects)) {
    if (!isRecord(tool)) {
      note(defects, 'an entry of `tools` is not an object');
      continue;
    }
    const inner = isRecord(tool.function) ? tool.function : tool.custom;
    if (isRecord(inner)) tools.push({ name: textOf(inner.name), description: textOf(inner.description) });
    else tools.push(...offeredBy(tool));
  }
  if (isAbsent(body.functions)) return tools;
  for (const fn of boundedList(body.functions, toolsMax, '`functions`', defects)) {
    if (isRecord(fn)) tools.push({ name: textOf(fn.name), description: textOf(fn.description) });
  }
  return tools;
}
