/** Facts as traffic could bring them: ordinary, near the default rules' words, and hostile. */
import fc from 'fast-check';
import type { Facts, RequestFacts, ResponseFacts, ToolCallFact } from '../../../src/core/facts.ts';
import { requestFacts, responseFacts } from '../../unit/policy/support.ts';

const vocabulary = fc.constantFrom(
  ...[
    'transfer',
    'funds',
    'pay',
    'create',
    'payment',
    'refund',
    'send',
    'email',
    'message',
    'delete',
    'table',
  ],
  ...[
    'remove',
    'file',
    'deploy',
    'service',
    'release',
    'grant',
    'role',
    'user',
    'add',
    'run',
    'command',
    'python',
  ],
  ...[
    'bash',
    'get',
    'list',
    'status',
    'to',
    'agent',
    'mcp',
    'stripe',
    'kubectl',
    'apply',
    'reset',
    'password',
  ],
);

const spelt = fc
  .tuple(
    fc.array(vocabulary, { minLength: 1, maxLength: 4 }),
    fc.constantFrom('_', '-', '.', '__', '/', ' ', 'camel', 'CAPS'),
  )
  .map(([parts, style]) => {
    if (style === 'CAPS') return parts.join('_').toUpperCase();
    if (style !== 'camel') return parts.join(style);
    return parts.map((part, at) => (at === 0 ? part : part.charAt(0).toUpperCase() + part.slice(1))).join('');
  });

const builtIn = fc.constantFrom(
  'local_shell_call',
  'shell_call',
  'mcp_call',
  'left_click',
  'type',
  'transfer_funds',
  'get_weather',
);
const name = fc.oneof(
  { weight: 6, arbitrary: spelt },
  { weight: 2, arbitrary: builtIn },
  fc.string({ unit: 'binary', maxLength: 20 }),
);

const key = fc.oneof(
  fc.constantFrom(
    ...['amount', 'totalAmount', 'sum', 'to', 'recipient', 'beneficiaryIban', 'destination', 'from'],
  ),
  fc.constantFrom(
    ...['subject', 'body', 'text', 'channel', 'cc', 'phone', 'command', 'script', 'sql', 'query'],
  ),
  fc.string({ maxLength: 8 }),
);
const statement = fc.constantFrom(
  ...[
    'DROP TABLE users',
    'delete\nfrom t',
    'select 1',
    'update t set a = 1',
    'GRANT ALL ON db TO bob',
    'db.x.deleteMany({})',
  ],
  ...['25,000', '25000', '10000.01', 'a@example.com', '+49 151 0000000', 'EUR', 'fr', '', 'NaN', '#general'],
);
const scalar = fc.oneof(
  statement,
  fc.string({ maxLength: 12 }),
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
);
const json: fc.Arbitrary<unknown> = fc
  .letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { weight: 5, arbitrary: scalar },
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
    ),
  }))
  // As a parser would make it: no NaN, no undefined, no -0.
  .value.map((value): unknown => JSON.parse(JSON.stringify(value)));

const args = fc.oneof(
  { weight: 8, arbitrary: fc.dictionary(key, json, { maxKeys: 4, noNullPrototype: true }) },
  { weight: 1, arbitrary: json },
);

/** The tool of the default policy's example, with amounts on both sides of its limit and none at all. */
const transfer = fc.record({
  name: fc.constant('transfer_funds'),
  arguments: fc.record(
    { amount: fc.oneof(fc.integer({ min: 0, max: 20_000 }), scalar) },
    { noNullPrototype: true },
  ),
});

export const toolCall: fc.Arbitrary<ToolCallFact> = fc
  .oneof({ weight: 5, arbitrary: fc.record({ name, arguments: args }) }, { weight: 1, arbitrary: transfer })
  .map((made) => ({ ...made, id: 'call_1', argumentsText: JSON.stringify(made.arguments) }));

const text = fc.oneof(
  fc.string({ maxLength: 80 }),
  fc
    .array(
      fc.constantFrom(
        ...[
          '-----BEGIN RSA PRIVATE KEY-----',
          'AKIAIOSFODNN7EXAMPLE',
          'ghp_000000000000000000000000000000000000',
          'sk-',
        ],
        ...[
          'xoxb-0000000000-not-a-token-000',
          'eyJhbGciOiJub25lIn0.eyJzdWIiOiJleGFtcGxlIn0.not-a-signature-0',
          'AIza',
          'gh_',
        ],
        ...['sk-proj-example_example_example_example_', ' ', '\n', 'hello', 'é', '\u212a', '5', '0,5'],
      ),
      { maxLength: 6 },
    )
    .map((parts) => parts.join('')),
);

const model = fc.oneof(
  fc.constantFrom(
    'gpt-4o',
    'gpt-4o-mini-2024-07-18',
    'gpt-6.1-sol',
    'claude-opus-5-5',
    'o3',
    'gpt-4o-x',
    'x/gpt-4o',
    '',
  ),
  fc.string({ maxLength: 12 }),
);

export const request: fc.Arbitrary<RequestFacts> = fc
  .record({
    unjudgedFiles: fc.array(fc.string(), { maxLength: 2 }),
    operation: fc.constantFrom('chat.completions', 'responses', 'messages', 'unknown'),
    model,
    text,
    purpose: text,
    stream: fc.boolean(),
    params: fc.record({ confirms: fc.constantFrom(0, 1, 2, 'yes') }, { requiredKeys: [] }),
  })
  .map((given) => requestFacts(given));

export const response = (toolCalls: fc.Arbitrary<ToolCallFact[]>): fc.Arbitrary<ResponseFacts> =>
  fc
    .record({
      status: fc.integer({ min: 100, max: 599 }),
      model,
      text,
      refusal: text,
      finishReason: text,
      toolCalls,
    })
    .map((given) => responseFacts(given));

export const labels = fc.array(fc.constantFrom('pii.iban', 'pii.card', 'health.term'), { maxLength: 3 });

export const facts: fc.Arbitrary<Facts> = fc.record({
  request,
  response: response(fc.array(toolCall, { maxLength: 3 })),
  labels,
});
