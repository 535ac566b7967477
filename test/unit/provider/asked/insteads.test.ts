/** Further models that a request is asked of: rules see it with each, and none twice. */
import { expect, test } from 'vitest';
import { alsoAsking } from '../../../../src/provider/asked/insteads.ts';

test('each further model is one, once, and neither the request’s own nor none', () => {
  const asked = alsoAsking({ model: 'a' }, ['b', '', 'a', 'b', 'c']);
  expect(asked).toEqual({ model: 'a', insteads: [{ model: 'b' }, { model: 'c' }] });
  expect(alsoAsking(asked, ['c'])).toBe(asked);
});

test('a model that is told something else is asked this as well', () => {
  const facts = { model: 'a', insteads: [{ model: 'b', text: 'Something harmless.' }] };
  expect(alsoAsking(facts, ['b']).insteads).toEqual([...facts.insteads, { model: 'b' }]);
});
