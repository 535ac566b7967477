/** The policy of the matrix: large transfers wait for a person, models it does not know are denied. */

/** Knows these models and no others. */
export function policyFor(models: readonly string[]): string {
  const known = [...new Set(models)].map((model) => JSON.stringify(model)).join(', ');
  return `version: "1"
rules:
  - id: large-transfers
    title: Large transfers wait for a person
    phase: response
    when: response.toolCalls.exists(c, c.name == "transfer_funds" && num(c.arguments.amount) > 10000.0)
    action: hold
    severity: high
    tests:
      - { name: large, expect: match, response: { toolCalls: [{ name: transfer_funds, arguments: { amount: 25000 } }] } }
      - { name: small, expect: no-match, response: { toolCalls: [{ name: transfer_funds, arguments: { amount: 20 } }] } }
  - id: unlisted-models
    title: Models that are not listed are denied
    phase: request
    when: 'request.operation != "unknown" && !(request.model in [${known}])'
    action: deny
    severity: high
    tests:
      - { name: unlisted, expect: match, request: { operation: chat.completions, model: unlisted-model } }
      - { name: listed, expect: no-match, request: { operation: chat.completions, model: ${JSON.stringify(models[0])} } }
`;
}
