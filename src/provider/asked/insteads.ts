/** A request that is asked of further models besides its own: rules see it with each of them. Pure. */
import type { RequestBodyFacts } from '../protocol.ts';

/** The facts with each further model, once. */
export function alsoAsking<Facts extends Pick<RequestBodyFacts, 'model' | 'insteads'>>(
  facts: Facts,
  models: readonly string[],
): Facts {
  // Hardly any request has one.
  if (models.length === 0) return facts;
  const { model: own, insteads = [] } = facts;
  // One that is told something else as well says nothing of this request under its model.
  const alike = insteads.filter((instead) => Object.keys(instead).length === 1);
  const known = new Set(['', own, ...alike.map(({ model }) => model)]);
  const more = [...new Set(models)].filter((model) => !known.has(model));
  return more.length === 0
    ? facts
    : { ...facts, insteads: [...insteads, ...more.map((model) => ({ model }))] };
}
