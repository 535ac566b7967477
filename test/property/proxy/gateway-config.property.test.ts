/** Header fields that say whom a gateway asks, of any shape: everybody is heard of, and no key is stored. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { gatewayConfigWithout, readGatewayConfig } from '../../../src/core/gateway-config.ts';

const mark = '[removed]';
const hex = fc.stringMatching(/^[0-9a-f]{12}$/);
const model = hex.map((digits) => `model-${digits}`);
const secret = hex.map((digits) => `secret-${digits}`);
const address = fc
  .tuple(hex, secret, secret)
  .map(([host, user, query]) => `https://${user}:${user}@host-${host}.example/v1?k=${query}#${query}`);

/** Members that name somebody, as they are spelt, and members that name nobody. */
const naming = fc.constantFrom('model', 'models', 'Azure_Deployment_Id', 'customHost', 'target-url');
const other = fc.constantFrom('api_key', 'apiKey', 'Authorization', 'headers', 'retry', 'modelled');

const { config } = fc.letrec<{ config: object; inner: unknown }>((tie) => ({
  config: fc.oneof(
    fc.dictionary(other, fc.oneof(secret, address, tie('inner')), { maxKeys: 3 }),
    fc.dictionary(naming, fc.oneof(model, address, tie('inner')), { maxKeys: 3 }),
    fc.record({ targets: fc.array(tie('config'), { maxLength: 3 }) }),
    fc.record({ override_params: tie('config'), on_status_codes: fc.array(fc.nat(599), { maxLength: 2 }) }),
  ),
  inner: fc.oneof({ depthSize: 'small' }, tie('config'), fc.constantFrom(null, true, 3)),
}));

function heardIn(text: string): readonly string[] {
  const heard: string[] = [];
  expect(readGatewayConfig(text, (name) => heard.push(name))).toBe(true);
  return heard;
}

it('everybody whom such a field names is heard of', () => {
  fc.assert(
    fc.property(config, (value) => {
      const text = JSON.stringify(value);
      const heard = heardIn(text);
      for (const [name] of text.matchAll(/(?<=")model-[0-9a-f]{12}(?=")/g)) expect(heard).toContain(name);
      for (const [host] of text.matchAll(/host-[0-9a-f]{12}/g))
        expect(heard).toContain(`https://${host}.example/v1`);
    }),
  );
});

it('what is stored of it has no key, and names the same', () => {
  fc.assert(
    fc.property(config, (value) => {
      const text = JSON.stringify(value);
      const stored = gatewayConfigWithout(text, mark);
      expect(stored).not.toContain('secret-');
      expect(heardIn(stored)).toEqual(heardIn(text));
    }),
  );
});

it('a field that is nested without end is told to be unclear', () => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"targets":[', ']}'],
  ] as const) {
    const deep = `${open.repeat(4_000)}${close.repeat(4_000)}`;
    expect(readGatewayConfig(deep, () => undefined)).toBe(false);
    expect(gatewayConfigWithout(deep, mark)).toBe(mark);
  }
});

it('space around such a field is none of it', () => {
  expect(heardIn(' an-id ')).toEqual(['an-id']);
  expect(heardIn('\t{"model":"m"} ')).toEqual(['m']);
  expect(readGatewayConfig(' -', () => undefined)).toBe(true);
  expect(gatewayConfigWithout(' -', mark)).toBe(' -');
});

it('a text of any other kind is told to be unclear, or is an id that is heard of; no reading throws', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      const heard: string[] = [];
      const isClear = readGatewayConfig(text, (name) => heard.push(name));
      if (!isClear) expect(heard).toEqual([]);
      const stored = gatewayConfigWithout(text, mark);
      if (!isClear) expect(stored).toBe(mark);
    }),
  );
});
