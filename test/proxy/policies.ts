/** Small policies for the tests of the data plane. */

interface RuleText {
  readonly phase: 'request' | 'response';
  readonly when: string;
  readonly action: 'hold' | 'deny';
  /** Terms of the hold such as `expiresIn: 1s`. */
  readonly terms?: string;
  readonly match: string;
  readonly noMatch: string;
}

/** A policy of one rule. */
export function policyOf({ phase, when, action, terms, match, noMatch }: RuleText): string {
  const hold = terms === undefined ? '' : `    hold: { ${terms} }\n`;
  return `version: "1"
rules:
  - id: the-rule
    title: The rule of this test
    phase: ${phase}
    when: ${when}
    action: ${action}
    severity: high
${hold}    tests:
      - { name: yes, expect: match, ${phase}: ${match} }
      - { name: no, expect: no-match, ${phase}: ${noMatch} }
`;
}

const transfers = {
  phase: 'response',
  when: 'response.toolCalls.exists(c, c.name == "transfer_funds" && num(c.arguments.amount) > 10000.0)',
  match: '{ toolCalls: [{ name: transfer_funds, arguments: { amount: 25000 } }] }',
  noMatch: '{ toolCalls: [{ name: transfer_funds, arguments: { amount: 20 } }] }',
} as const;

/** Transfers above 10 000 wait for a person; looks at tool calls only, so text streams. */
export const holdTransfers = policyOf({ ...transfers, action: 'hold' });

export const denyTransfers = policyOf({ ...transfers, action: 'deny' });

export const holdTransfersWith = (terms: string): string => policyOf({ ...transfers, action: 'hold', terms });

/** Judges text, so nothing of an answer may pass before all of it was seen. */
export const holdSecretText = policyOf({
  phase: 'response',
  when: 'response.text.contains("secret")',
  action: 'hold',
  match: '{ text: a secret }',
  noMatch: '{ text: nothing }',
});

/** Judges what a model is told. */
export const holdSecretRequests = policyOf({
  phase: 'request',
  when: 'request.text.contains("secret")',
  match: '{ text: a secret }',
  noMatch: '{ text: nothing }',
  action: 'hold',
});

const models = {
  phase: 'request',
  when: 'request.operation != "unknown" && request.model != "gpt-4.1"',
  match: '{ model: other }',
  noMatch: '{ model: gpt-4.1 }',
} as const;

export const holdUnlistedModels = policyOf({ ...models, action: 'hold' });
export const denyUnlistedModels = policyOf({ ...models, action: 'deny' });
