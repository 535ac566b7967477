/**
 * Models that a request has asked besides the one that answers: by a tool that the provider or a gateway runs, a plugin,
 * an advisor, a guardrail, a ranker, a draft, or as parts of a system of several. Each of them reads what is said, so rules
 * see the request with each (https://platform.claude.com/docs/en/agents-and-tools/tool-use/advisor-tool,
 * https://openrouter.ai/docs/guides/features/server-tools, https://console.groq.com/docs/compound,
 * https://docs.mistral.ai/studio/safety-moderation, https://lmstudio.ai/docs/app/advanced/speculative-decoding). Pure.
 */
import { addressWithoutKeys } from '../../core/gateway-config.ts';
import { note } from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';

const consultedMax = 64;
/** Most requests ask nobody else, and are read for that all the same. */
const none: readonly string[] = [];

/** Members of a body that what asks further models stands in. */
const places = [
  'tools',
  'plugins',
  'compound_custom',
  'moderation',
  'multiagent',
  'agent',
  // What an agent of Gemini's thinks with.
  'agent_config',
  'definition',
  'target',
  'guardrails',
  'interaction',
  // LiteLLM: what each name of a model stands for, and what it writes over the body that it sends on.
  'user_config',
  'extra_body',
] as const;

/**
 * LM Studio's model that writes ahead of the one that is asked, what an agent of Gemini's is made of, Together's model that
 * looks at what is said, what SGLang and LoRAX lay over a model, which makes another one of it, what ElevenLabs has for `model`,
 * and the agents that one of Mistral's may hand over to.
 */
const direct = [
  'handoffs',
  'draft_model',
  'base_agent',
  'safety_model',
  'lora_path',
  'adapter_id',
  'model_id',
] as const;

/** A model's name, its object, or a list of them. */
const nameMembers: ReadonlySet<string> = new Set([
  'model',
  'models',
  'analysis_models',
  'answering_model',
  'reasoning_model',
  // Mistral's guardrails.
  'model_name',
  // Azure's stores of memories.
  'chat_model',
  'embedding_model',
]);

/**
 * Agents that another may start, as Anthropic's, by their ids: of what model they are nobody sees. Each of Azure's is a tool.
 */
const rosters: ReadonlySet<string> = new Set(['agents', 'predefined_agents', 'connected_agent']);

/** What somebody else's tool is handed, and what is sent along to a server: no model reads by what stands there. */
const foreign: ReadonlySet<string> = new Set([
  'function',
  'custom',
  'input_schema',
  'output_schema',
  'headers',
  'metadata',
]);

/** A panel that is not named is the gateway's own choice, by the name that it has as a model. */
const panel = 'openrouter/fusion';

function isPanelOfItsOwn({ type, id, enabled, parameters, analysis_models: named }: JsonRecord): boolean {
  if (enabled === false || (type !== 'openrouter:fusion' && id !== 'fusion')) return false;
  const inner = isRecord(parameters) ? parameters.analysis_models : undefined;
  return isAbsent(named) && isAbsent(inner);
}

function namesIn(value: unknown, into: Set<string>): void {
  if (Array.isArray(value)) {
    for (const element of value) namesIn(element, into);
    return;
  }
  const name = isRecord(value) ? textOf(value.id) : textOf(value);
  if (name !== '') into.add(name);
  // The parts of a system are named by what they do.
  else if (isRecord(value)) modelsIn(value, into);
}

/** One that is of its own model in this place counts as that. */
function agentsIn(list: readonly unknown[], into: Set<string>): void {
  for (const entry of list) {
    const id = isRecord(entry) && isAbsent(entry.model) ? textOf(entry.id) : textOf(entry);
    if (id !== '') into.add(id);
    else modelsIn(entry, into);
  }
}

/** The value must be bounded in depth, as readJson makes it. */
function modelsIn(value: unknown, into: Set<string>): void {
  if (Array.isArray(value)) {
    for (const element of value) modelsIn(element, into);
    return;
  }
  if (!isRecord(value)) return;
  if (isPanelOfItsOwn(value)) into.add(panel);
  const isSchema = value.type === 'function' || value.type === 'custom' || isAbsent(value.type);
  for (const [name, member] of Object.entries(value)) {
    if (foreign.has(name) || (name === 'parameters' && isSchema)) continue;
    if (nameMembers.has(name)) namesIn(member, into);
    else if (rosters.has(name)) agentsIn(Array.isArray(member) ? member : [member], into);
    else modelsIn(member, into);
  }
}

/**
 * Another server that LiteLLM is told to ask, for the request or for what it falls back to, counts by its address
 * (https://docs.litellm.ai/docs/proxy/clientside_auth).
 */
function serversIn(body: JsonRecord): readonly string[] {
  const { api_base: own, base_url: alsoOwn, fallbacks, user_config: config } = body;
  if (isAbsent(own) && isAbsent(alsoOwn) && isAbsent(fallbacks) && isAbsent(config)) return none;
  const listed = isRecord(config) ? membersOf(config.model_list, 'litellm_params') : [];
  const others = [...listOf(fallbacks), ...listed].filter(isRecord);
  const named = [own, alsoOwn, ...others.flatMap(({ api_base: one, base_url: another }) => [one, another])];
  return named
    .map(textOf)
    .filter((text) => text !== '')
    .map(addressWithoutKeys);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function membersOf(list: unknown, name: string): readonly unknown[] {
  return listOf(list).map((entry) => (isRecord(entry) ? entry[name] : undefined));
}

/** The names of all models that a request has asked besides its own, each once. */
export function consultedModels(body: JsonRecord, defects: string[]): readonly string[] {
  const names = new Set<string>();
  for (const place of places) modelsIn(body[place], names);
  for (const name of direct) namesIn(body[name], names);
  if (isRecord(body.parameters)) namesIn(body.parameters.adapter_id, names);
  // What Gemini runs on a schedule is asked of an agent where it names no model.
  const { interaction } = body;
  if (isRecord(interaction) && typeof interaction.agent === 'string') namesIn(interaction.agent, names);
  for (const address of serversIn(body)) names.add(address);
  if (names.size === 0) return none;
  if (names.size > consultedMax)
    note(defects, `more than ${consultedMax} models that are asked along the way`);
  return [...names].slice(0, consultedMax);
}
