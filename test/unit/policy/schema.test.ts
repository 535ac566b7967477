import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readYaml } from '../../../src/config/yaml.ts';
import { policyJsonSchema, policySchema } from '../../../src/policy/schema.ts';
import { policyText, thrown } from './support.ts';

const read = (text: string) => readYaml('policy.yaml', text, policySchema, 'policy_invalid');
const complaint = (more: Record<string, string>) =>
  thrown(() => read(policyText('response.text == "yes"', more))).message;

describe('the policy schema', () => {
  it('fills in what a rule leaves out', () => {
    expect(read(policyText('true')).rules[0]).toMatchObject({
      severity: 'medium',
      hold: { expiresInMs: 900_000, approvals: 1, roles: ['reviewer'], notRequester: true },
    });
  });

  it('fills in what a hold leaves out', () => {
    expect(read(policyText('true', { hold: '{ approvals: 2 }' })).rules[0]?.hold).toEqual({
      expiresInMs: 900_000,
      approvals: 2,
      roles: ['reviewer'],
      notRequester: true,
    });
  });

  it.each([
    ['1s', 1_000],
    ['30s', 30_000],
    ['15m', 900_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
  ])('reads %s as %i ms', (text, ms) => {
    expect(read(policyText('true', { hold: `{ expiresIn: ${text} }` })).rules[0]?.hold.expiresInMs).toBe(ms);
  });

  it.each(['0s', '8d', '999999h'])('refuses %s as out of bounds', (text) => {
    expect(complaint({ hold: `{ expiresIn: ${text} }` })).toContain(
      `rules[0].hold.expiresIn: is "${text}"; it must be from 1s to 7d`,
    );
  });

  it.each(['15', '15 m', '-1m', '1.5h', '15min', 'PT15M'])('refuses %j as no duration', (text) => {
    expect(complaint({ hold: `{ expiresIn: "${text}" }` })).toContain('such as 30s, 15m, 24h or 7d');
  });

  it.each(['A-rule', 'a rule', 'a_rule', `${'a'.repeat(65)}`])('refuses the id %j', (id) => {
    expect(complaint({ id: JSON.stringify(id) })).toContain('lower-case letters, digits and hyphens');
  });

  it('refuses a second rule of the same id and says where the first is', () => {
    const [, , ...rule] = policyText('true').split('\n');
    const text = `${policyText('true')}${rule.join('\n')}`;
    expect(thrown(() => read(text)).message).toContain('rules[1].id: "a-rule" is also the id of rules[0]');
  });

  it.each([
    ['phase', 'answer', 'one of request, response'],
    ['action', 'block', 'one of hold, deny, flag'],
    ['severity', 'urgent', 'one of low, medium, high, critical'],
    ['hold', '{ approvals: 0 }', 'at least 1'],
    ['hold', '{ roles: [] }', 'at least 1 item'],
    ['hold', '{ roles: [reviwer] }', 'did you mean reviewer?'],
    ['hold', '{ notRequester: "no" }', 'true or false'],
  ])('refuses %s: %s', (key, value, expected) => {
    expect(complaint({ [key]: value })).toContain(expected);
  });

  it('suggests the key that was meant', () => {
    expect(complaint({ serverity: 'high' })).toContain(
      'rules[0].serverity: is not a key here; did you mean severity?',
    );
  });

  it.each([
    ['match', '[{ name: a, expect: no-match }]'],
    ['no-match', '[{ name: a, expect: match }]'],
  ])('refuses a rule with no test that expects %s', (missing, tests) => {
    expect(complaint({ tests })).toContain(`has no test with \`expect: ${missing}\``);
  });

  it('refuses a fixture with a response in a rule that is judged before there is one', () => {
    expect(complaint({ phase: 'request' })).toContain(
      'rules[0].tests[0].response: stands in a rule of phase request',
    );
  });

  it.each([
    ['a header that rules do not see', '{ headers: { x-team: red } }', 'the keys are user-agent, openai-org'],
    [
      'a header as it is written on the wire',
      '{ headers: { User-Agent: curl } }',
      'did you mean user-agent?',
    ],
    ['a provider by its own spelling', '{ provider: OpenAI }', 'did you mean openai?'],
    ['a method in small letters', '{ method: post }', 'it must be in capitals'],
    ['a path with its query', '{ path: "/v1/files?limit=2" }', 'which rules do not see'],
    ['a map among the params', '{ params: { metadata: { team: red } } }', 'rules see no lists and maps'],
    ['a list among the params', '{ params: { stop: [END] } }', 'rules see no lists and maps'],
  ])('refuses a fixture with what no call can have: %s', (_, request, expected) => {
    const tests = `[{ name: a, expect: match, request: ${request} }, { name: b, expect: no-match }]`;
    expect(complaint({ tests })).toContain(expected);
  });

  it('takes a fixture with what a call can have', () => {
    const request =
      '{ provider: bedrock, method: GET, path: /model/a/converse, params: { a: 1, b: x, c: true }, headers: { user-agent: curl } }';
    const tests = `[{ name: a, expect: match, request: ${request} }, { name: b, expect: no-match, request: { provider: "" } }]`;
    expect(read(policyText('true', { tests })).rules[0]?.tests).toHaveLength(2);
  });
});

describe('config/policy.schema.json', () => {
  it('is the schema the loader uses', () => {
    const published = readFileSync(new URL('../../../config/policy.schema.json', import.meta.url), 'utf8');
    expect(JSON.parse(published)).toEqual(JSON.parse(JSON.stringify(policyJsonSchema())));
  });
});
