/** What a variable of the environment sets: the setting that it names, and no other. */
import { describe, expect, it } from 'vitest';
import { withEnvironment } from '../../../src/config/environment.ts';
import { configSchema } from '../../../src/config/schema.ts';
import { readYaml } from '../../../src/config/yaml.ts';

const configOf = (text: string, env: Readonly<Record<string, string>>) =>
  withEnvironment(text, readYaml('holdpoint.yaml', text, configSchema, 'config_invalid'), env);

describe('a setting that the file shares with another by an alias', () => {
  const text = `upstreams:
  openai: { protocol: openai, url: 'https://a.example', key: &key { env: SHARED } }
  other: { protocol: openai, url: 'https://b.example', mount: /other, key: *key }
`;

  it.each([
    ['HOLDPOINT_UPSTREAMS_OPENAI_KEY_ENV', 'OWN', 'SHARED'],
    ['HOLDPOINT_UPSTREAMS_OTHER_KEY_ENV', 'SHARED', 'OWN'],
  ])('is set by %s alone', (variable, openai, other) => {
    const { config, source } = configOf(text, { [variable]: 'OWN' });
    expect([config.upstreams['openai']?.key?.env, config.upstreams['other']?.key?.env]).toEqual([
      openai,
      other,
    ]);
    expect(readYaml('source', source, configSchema, 'config_invalid')).toEqual(config);
  });
});

describe('a receiver of the name mail_service', () => {
  const text = `notify:
  to:
    mail_service: { kind: email, host: a.example, from: a@b.example, to: [c@d.example] }
`;

  it('is set by what would be a link to a service of Kubernetes otherwise', () => {
    const { config } = configOf(text, {
      HOLDPOINT_NOTIFY_TO_MAIL_SERVICE_HOST: 'b.example',
      HOLDPOINT_NOTIFY_TO_MAIL_SERVICE_PORT: '25',
      HOLDPOINT_SERVICE_HOST: '10.0.0.1',
    });
    expect(config.notify.to['mail_service']).toMatchObject({ host: 'b.example', port: 25 });
  });
});

it('links to services alone leave the file as it is', () => {
  const text = 'log: { level: warn } # quiet\n';
  expect(configOf(text, { HOLDPOINT_SERVICE_HOST: '10.0.0.1' }).source).toBe(text);
});
