/**
 * Behind which a path has nothing but the name of a model, of as many segments as it has: Workers AI's, there and behind a
 * gateway, and what Hugging Face runs or passes on to others in their own form, who draw and speak of what they are told
 * (https://huggingface.co/docs/inference-providers). Pure.
 */
export const modelHosts: readonly (readonly string[])[] = [
  ['ai', 'run'],
  ['workers-ai'],
  ['hf-inference', 'models'],
  ['fal-ai'],
  ['wavespeed', 'api', 'v3'],
  ['black-forest-labs', 'v1'],
  ['novita', 'v3'],
];
