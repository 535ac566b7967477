/**
 * What a provider or a gateway runs in place of a request, with another model, where the first one fails or refuses:
 * `models` of OpenRouter and Perplexity, `fallbacks` of Anthropic, LiteLLM and AssemblyAI, the last two of which may be
 * told something else, `fallback_models` of Keywords AI (https://openrouter.ai/docs/guides/routing/model-fallbacks,
 * https://platform.claude.com/docs/en/build-with-claude/refusals-and-fallback,
 * https://docs.litellm.ai/docs/proxy/client_side_fallbacks). A workload can make the first one fail. Pure.
 */

import type { RequestBodyFacts } from '../protocol.ts';
import { boundedList, note } from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord } from '../wire/json.ts';
import { withAgent } from './answering-agent.ts';
import { consultedModels } from './consulted-models.ts';
import { alsoAsking } from './insteads.ts';

const fallbacksMax = 64;
/** Most requests fall back to nothing. */
const none: readonly JsonRecord[] = [];
/** LiteLLM falls back for other reasons, too. */
const fallbackMembers = [
  'fallbacks',
  'fallback_models',
  'context_window_fallbacks',
  'content_policy_fallbacks',
] as const;

/** What such an entry puts over the request; [], and a defect, for one of which nobody knows what it asks for. */
function overrideOf(entry: unknown, what: string, defects: string[]): readonly JsonRecord[] {
  if (typeof entry === 'string') return [{ model: entry }];
  if (isRecord(entry) && typeof entry.model === 'string') return [entry];
  // By the model that fails, those that come after it.
  const lists = isRecord(entry) ? Object.values(entry) : [];
  if (lists.length > 0 && lists.every(Array.isArray))
    return lists.flat().flatMap((one: unknown) => overrideOf(one, what, defects));
  note(defects, `an entry of ${what} names no model`);
  return [];
}

function overridesIn(value: unknown, what: string, defects: string[]): readonly JsonRecord[] {
  if (isAbsent(value)) return none;
  // Anthropic's `default`: which model that is, it decides.
  const list = typeof value === 'string' ? [value] : value;
  return boundedList(list, fallbacksMax, what, defects).flatMap((entry) => overrideOf(entry, what, defects));
}

/** Vercel's gateway has its own place for them (https://vercel.com/docs/ai-gateway/models-and-providers/model-fallbacks). */
function gatewayModels({ providerOptions }: JsonRecord): unknown {
  const gateway = isRecord(providerOptions) ? providerOptions.gateway : undefined;
  return isRecord(gateway) ? gateway.models : undefined;
}

/** And so has orq.ai's (https://docs.orq.ai/docs/ai-gateway-fallbacks). */
function orqFallbacks({ orq }: JsonRecord): unknown {
  return isRecord(orq) ? orq.fallbacks : undefined;
}

/**
 * What LiteLLM writes over the body that it sends on, whatever that says (https://github.com/BerriAI/litellm/issues/31118).
 * Others leave it alone, so that rules see the request with it and without.
 */
function writtenOver({ extra_body: over }: JsonRecord): readonly JsonRecord[] {
  return isRecord(over) && Object.keys(over).length > 0 ? [over] : [];
}

/** The facts of a body with the agent that it names, and beside them the same request to each model that is asked along the way. */
export function withConsulted(
  body: JsonRecord,
  facts: RequestBodyFacts,
  defects: string[],
): RequestBodyFacts {
  return alsoAsking(withAgent(body, facts, defects), consultedModels(body, defects));
}

/** Reads a body by `read`, and all that may be run in its place or beside it. */
export function readWithFallbacks(
  body: JsonRecord,
  defects: string[],
  read: (body: JsonRecord, defects: string[]) => RequestBodyFacts,
): RequestBodyFacts {
  return withConsulted(body, readInPlace(body, defects, read), defects);
}

function readInPlace(
  body: JsonRecord,
  defects: string[],
  read: (body: JsonRecord, defects: string[]) => RequestBodyFacts,
): RequestBodyFacts {
  const ofModels = [
    ...overridesIn(body.models, '`models`', defects),
    ...overridesIn(gatewayModels(body), '`models`', defects),
  ];
  const fallbacks = [
    ...overridesIn(orqFallbacks(body), '`fallbacks`', defects),
    ...fallbackMembers.flatMap((name) => overridesIn(body[name], `\`${name}\``, defects)),
  ];
  const over = writtenOver(body);
  if (ofModels.length + fallbacks.length + over.length === 0) return read(body, defects);
  // Of a list of models alone, the first is the one that is asked; what is fallen back to never is, as a path may name that.
  const [first] = isAbsent(body.model) ? ofModels.splice(0, 1) : [];
  const overrides = [...ofModels, ...fallbacks];
  const facts = read({ ...body, ...first }, defects);
  const others = overrides.slice(0, fallbacksMax).filter(({ model }) => model !== facts.model);
  if (overrides.length > fallbacksMax) note(defects, `more than ${fallbacksMax} models to fall back to`);
  const insteads = [...others, ...over].map((override) =>
    Object.keys(override).length === 1 && typeof override.model === 'string'
      ? { model: override.model }
      : read({ ...body, ...override }, defects),
  );
  return insteads.length === 0 ? facts : { ...facts, insteads };
}
