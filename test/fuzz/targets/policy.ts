/** What operators write, and what rules make of what others send: refused with what is wrong, or bounded. */
import { readFileSync } from 'node:fs';
import { configSchema } from '../../../src/config/schema.ts';
import { readYaml } from '../../../src/config/yaml.ts';
import { HoldpointError } from '../../../src/core/errors.ts';
import type { Facts } from '../../../src/core/facts.ts';
import { loadPolicy } from '../../../src/policy/compile.ts';
import { explain, expressionCompiler } from '../../../src/policy/expression.ts';
import { Variables } from '../../../src/policy/views.ts';
import { must, type Target, unless } from '../target.ts';

const file = (name: string) => readFileSync(new URL(`../../../config/${name}`, import.meta.url));
const defaultPolicy = file('policy.yaml');
const isRefusal = (code: string) => (error: unknown) =>
  error instanceof HoldpointError && error.code === code;
/** The YAML library and the CEL compiler take their time over every token. */
const bounds = { inputBytesMax: 16_384, usPerByteMax: 500 };

const config: Target = {
  ...bounds,
  name: 'policy-config-yaml',
  seeds: () => [file('holdpoint.yaml'), Buffer.from('proxy: { listen: "127.0.0.1:8787" }\ndata: {dir: x}\n')],
  run(input) {
    unless(isRefusal('config_invalid'), () =>
      readYaml('f', input.toString('utf8'), configSchema, 'config_invalid'),
    );
  },
};

const rules: Target = {
  ...bounds,
  name: 'policy-file',
  seeds: () => [
    Buffer.from(
      'version: "1"\nrules:\n  - id: a\n    title: A\n    phase: response\n    when: response.toolCalls.exists(c, c.name == "t")\n    action: hold\n    severity: high\n    hold: { expiresIn: 15m, approvals: 1, roles: [reviewer], notRequester: true }\n    tests:\n      - { name: b, expect: match, response: { toolCalls: [ { name: t } ] } }\n      - { name: c, expect: no-match, response: { toolCalls: [] } }\n',
    ),
    defaultPolicy,
  ],
  run(input) {
    unless(isRefusal('policy_invalid'), () => loadPolicy('f', input.toString('utf8')));
  },
};

const facts: Facts = {
  request: {
    ...{
      provider: 'openai',
      operation: 'chat.completions',
      method: 'POST',
      path: '/',
      model: 'm',
      stream: false,
    },
    ...{
      params: { temperature: 0 },
      system: 's',
      messages: [{ role: 'user', text: 't', toolCalls: [] }],
      text: 't',
    },
    ...{ tools: [{ name: 'transfer_funds', description: '' }], headers: { a: 'b' } },
    ...{ workload: '', subject: '', purpose: '', session: '' },
  },
  response: {
    ...{ status: 200, model: 'm', fingerprint: '', text: 'x', finishReason: 'stop', refusal: '' },
    toolCalls: [
      { id: 'a', name: 'transfer_funds', arguments: { amount: 25000 }, argumentsText: '{"amount":25000}' },
    ],
    usage: { source: 'absent', inputTokens: 0, outputTokens: 0, totalTokens: 0 },
  },
  labels: ['pii.iban'],
};

const expression: Target = {
  ...bounds,
  inputBytesMax: 4_096,
  name: 'policy-expression',
  *seeds() {
    for (const [, when = ''] of defaultPolicy.toString('utf8').matchAll(/when: (.+)/g))
      yield Buffer.from(when);
    yield Buffer.from(
      'response.toolCalls.exists(c, c.name == "transfer_funds" && num(c.arguments.amount) > 10000.0)',
    );
    yield Buffer.from("re2(words(request.text), r'a+b') || texts(request.params).contains('x')");
    yield Buffer.from(
      'request.messages.map(m, m.text).filter(t, t != "").size() > 0 ? true : "pii.iban" in labels',
    );
  },
  run(input) {
    const when = input.toString('utf8');
    let compiled: ReturnType<ReturnType<typeof expressionCompiler>>;
    try {
      compiled = expressionCompiler()('response', when);
    } catch (error) {
      must(explain(error, when) !== '', 'a refusal says nothing');
      return;
    }
    try {
      must(
        typeof compiled.matches(new Variables(facts)) === 'boolean',
        'a rule gives neither true nor false',
      );
    } catch (error) {
      // It then holds, unless it was said that it cannot fail.
      must(!compiled.cannotFail, 'a rule fails that cannot', () => explain(error, when));
    }
    if (!compiled.falseWithoutToolCalls || facts.response === undefined) return;
    const without = new Variables({ ...facts, response: { ...facts.response, toolCalls: [] } });
    must(!compiled.matches(without), 'a rule matches without calls though it is skipped there');
  },
};

export const targets: readonly Target[] = [config, rules, expression];
