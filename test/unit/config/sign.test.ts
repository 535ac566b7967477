/** Upstreams whose requests are signed: what may stand together, and what the environment may set. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdpoint-config-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const at = 'url: "https://bedrock-runtime.eu-central-1.amazonaws.com", protocol: bedrock';

function upstream(members: string, env: Record<string, string> = {}) {
  const file = join(directory, 'holdpoint.yaml');
  writeFileSync(file, `upstreams:\n  bedrock: { ${at}${members} }\n`);
  return loadConfig(file, env).upstreams['bedrock'];
}

describe('an upstream', () => {
  test('is signed for with a service and a region', () => {
    const sign = { service: 'bedrock', region: 'eu-central-1' };
    expect(upstream(', sign: { service: bedrock, region: eu-central-1 }')).toMatchObject({ sign });
  });

  test.each([
    ['a key', ', sign: { service: bedrock, region: eu-central-1 }, key: { env: KEY }'],
    ['the workload’s host', ', sign: { service: bedrock, region: eu-central-1 }, keepHost: true'],
  ])('is not signed for beside %s', (_what, members) => {
    expect(() => upstream(members)).toThrow('expected sign alone');
  });

  test.each([
    [', sign: { service: bedrock }', 'region'],
    [', sign: { service: bedrock, region: "EU central" }', 'expected a region'],
    [', sign: { service: "https://bedrock", region: eu-central-1 }', 'expected the name of a service'],
  ])('that cannot be signed for is refused: %s', (members, said) => {
    expect(() => upstream(members)).toThrow(said);
  });

  test('of Bedrock needs a url, as every region has its own', () => {
    const file = join(directory, 'bare.yaml');
    writeFileSync(file, 'upstreams: { bedrock: { protocol: bedrock } }\n');
    expect(() => loadConfig(file, {})).toThrow('expected a url');
  });
});

describe('the environment', () => {
  test('sets region and host', () => {
    const sign = ', sign: { service: bedrock, region: eu-central-1 }';
    const region = { HOLDPOINT_UPSTREAMS_BEDROCK_SIGN_REGION: 'us-east-1' };
    expect(upstream(sign, region)).toMatchObject({ sign: { region: 'us-east-1' } });
    expect(upstream('', { HOLDPOINT_UPSTREAMS_BEDROCK_KEEP_HOST: 'true' })).toMatchObject({ keepHost: true });
  });

  test('sets a flag to nothing but true or false', () => {
    expect(() => upstream('', { HOLDPOINT_UPSTREAMS_BEDROCK_KEEP_HOST: 'yes' })).toThrow(/KEEP_HOST/);
  });
});
