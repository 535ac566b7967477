/** Paths at which a model of any maker is asked by its name. Pure. */

/**
 * Behind which a path has nothing but the name of a model, of as many segments as it has: Workers AI's, there and behind a
 * gateway, what Hugging Face runs or passes on to others in their own form, who draw and speak of what they are told
 * (https://huggingface.co/docs/inference-providers), what draws at Azure and Fireworks
 * (https://docs.fireworks.ai/api-reference/generate-a-new-image-from-a-text-prompt), and agents behind LiteLLM
 * (https://docs.litellm.ai/docs/a2a_invoking_agents).
 */
export const modelHosts: readonly (readonly string[])[] = [
  ['ai', 'run'],
  ['workers-ai'],
  ['hf-inference', 'models'],
  ['fal-ai'],
  ['wavespeed', 'api', 'v3'],
  ['black-forest-labs', 'v1'],
  ['novita', 'v3'],
  ['blackforestlabs', 'v1'],
  ['v1', 'workflows'],
  ['v1', 'image_generation'],
  ['a2a'],
];

/** Paths that say what is run by what they begin with, or by a verb at their end. */
export function isHosted(segments: readonly string[]): boolean {
  const isAgent = segments.at(-2) === 'agents' && segments.at(-1)?.endsWith(':run') === true;
  return (
    isAgent || modelHosts.some((host) => segments.some((_one, at) => startsWith(segments.slice(at), host)))
  );
}

function startsWith(segments: readonly string[], head: readonly string[]): boolean {
  return segments.length > head.length && head.every((name, i) => segments[i] === name);
}
