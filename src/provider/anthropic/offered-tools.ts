/**
 * What a request to Anthropic offers its model: tools, sets of them, and servers whose tools may be called
 * (https://platform.claude.com/docs/en/agents-and-tools/mcp-connector). Pure; hostile values in, facts and defects out.
 */
import type { ToolFact } from '../../core/facts.ts';
import { serverAddress } from '../openai/offered-tools.ts';
import { boundedList, boundedRecords, toolsMax } from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';

/** The tools that are offered, built-in ones by their type; of a set, those that it names besides. */
export function readTools(list: unknown, defects: string[]): readonly ToolFact[] {
  return boundedRecords(list, toolsMax, '`tools`', defects).flatMap((tool) => [
    { name: textOf(tool.name) || textOf(tool.type), description: textOf(tool.description) },
    ...configured(tool),
    ...(isAbsent(tool.tools) ? [] : readTools(tool.tools, defects)),
  ]);
}

/** Tools of a set that are switched on, or set up, by their names: as keys, or each in an entry of a list. */
function configured({ configs, mcp_server_name: server }: JsonRecord): readonly ToolFact[] {
  const entries: readonly (readonly [unknown, unknown])[] = Array.isArray(configs)
    ? configs.map((one: unknown) => [isRecord(one) ? one.name : '', one] as const)
    : Object.entries(isRecord(configs) ? configs : {});
  return entries
    .slice(0, toolsMax)
    .filter(([, config]) => !isRecord(config) || config.enabled !== false)
    .map(([name]) => ({ name: textOf(name), description: textOf(server) }));
}

/** Servers whose tools a model may call are offered like tools, by the name of the server, and so are those they are limited to. */
export function readServers(list: unknown, defects: string[]): readonly ToolFact[] {
  return boundedList(list, toolsMax, '`mcp_servers`', defects).flatMap((server) => {
    const { name, url, tool_configuration: limits } = isRecord(server) ? server : {};
    const allowed: unknown = isRecord(limits) ? limits.allowed_tools : undefined;
    const tools: readonly unknown[] = Array.isArray(allowed) ? allowed.slice(0, toolsMax) : [];
    return [
      { name: textOf(name), description: serverAddress(url) },
      ...tools.map((tool) => ({ name: textOf(tool), description: textOf(name) })),
    ];
  });
}
