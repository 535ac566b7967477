/** Where the providers' own SDKs let a credential stand in a body, none is left; everything else is as it was. */
import { describe, expect, test } from 'vitest';
import {
  withoutAnswerSecrets,
  withoutMessageSecrets,
  withoutRequestSecrets,
} from '../../../../src/provider/reading/secret-members.ts';

const mark = '[removed]';
const secret = 'SECRET';

const requests: readonly (readonly [what: string, path: string, body: unknown])[] = [
  ['an MCP tool’s authorization', '/v1/responses', { tools: [{ type: 'mcp', authorization: secret }] }],
  ['an MCP tool’s headers', '/v1/responses', { tools: [{ type: 'mcp', headers: { 'x-k': secret } }] }],
  [
    'a container’s domain secrets',
    '/v1/responses',
    {
      tools: [
        {
          type: 'code_interpreter',
          container: { type: 'auto', network_policy: { domain_secrets: [{ domain: 'a', value: secret }] } },
        },
      ],
    },
  ],
  [
    'an MCP server of a session that a token opens',
    '/v1alpha/auth_tokens',
    {
      bidiGenerateContentSetup: {
        tools: [{ mcpServers: [{ name: 'a', streamableHttpTransport: { headers: { k: secret } } }] }],
      },
    },
  ],
  [
    'a key that LiteLLM writes over what it sends on',
    '/v1/chat/completions',
    { extra_body: { api_key: secret } },
  ],
  [
    'a session’s MCP tool',
    '/v1/realtime/client_secrets',
    { session: { type: 'realtime', tools: [{ type: 'mcp', authorization: secret }] } },
  ],
  ...['api_key', 'connection_string', 'key_and_key_id', 'encoded_api_key', 'access_token'].map(
    (type) =>
      [
        `a data source’s ${type}`,
        '/openai/deployments/d/chat/completions',
        {
          data_sources: [{ type: 'azure_search', parameters: { authentication: { type, [type]: secret } } }],
        },
      ] as const,
  ),
  [
    'a data source’s key, as it was written before',
    '/openai/deployments/d/extensions/chat/completions',
    { dataSources: [{ type: 'AzureCognitiveSearch', parameters: { key: secret, indexName: 'i' } }] },
  ],
  [
    'the key of a data source’s embeddings',
    '/openai/deployments/d/chat/completions',
    {
      data_sources: [
        { parameters: { embedding_dependency: { authentication: { type: 'api_key', key: secret } } } },
      ],
    },
  ],
  ['an MCP server’s token', '/v1/messages', { mcp_servers: [{ name: 'a', authorization_token: secret }] }],
  [
    'an MCP server’s token in a batch',
    '/v1/messages/batches',
    { requests: [{ custom_id: 'a', params: { mcp_servers: [{ authorization_token: secret }] } }] },
  ],
  [
    'a repository’s token',
    '/v1/sessions',
    { resources: [{ type: 'github_repository', authorization_token: secret }] },
  ],
  // @google/genai: POST and PATCH /{api_version}/credentials, and an interaction's environment.
  ['a credential’s token', '/v1beta/credentials', { id: 'c', type: 'bearer_token', token: secret }],
  ['a credential’s value', '/v1beta/credentials/c', { type: 'environment_variable', value: secret }],
  ['a credential’s client', '/v1beta/credentials', { type: 'oauth2', client_id: 'c', client_secret: secret }],
  ['a credential’s refresh token', '/v1beta/credentials', { type: 'oauth2', refresh_token: secret }],
  [
    'what an environment sends to a host',
    '/v1beta/interactions',
    { environment: { network: { allowlist: [{ domain: 'a', transform: { 'X-Key': secret } }] } } },
  ],
  [
    'what an environment by itself sends to a host',
    '/v1beta/environments',
    { network: { allowlist: [{ domain: 'a', transform: [{ Authorization: secret }] }] }, sources: [] },
  ],
  ['a variable of one', '/v1beta/environments/e', { env: { KEY: secret } }],
  [
    'an environment’s variable',
    '/v1beta/agents',
    { base_environment: { env: { KEY: { value: secret } }, type: 'remote' } },
  ],
  [
    'a variable of what is asked on a schedule',
    '/v1beta/triggers',
    { interaction: { environment: { env: { KEY: secret } } }, schedule: '0 9 * * 1' },
  ],
  // https://docs.together.ai/reference/create-evaluation
  [
    'the key of a model elsewhere that an evaluation asks',
    '/v1/evaluation',
    { type: 'score', parameters: { judge: { model: 'm', external_api_token: secret } } },
  ],
  [
    'what a harness sends to an MCP server',
    '/harnesses/invoke',
    { tools: [{ type: 'remote_mcp', config: { remoteMcp: { url: 'https://a', headers: { K: secret } } } }] },
  ],
  // openai: POST /agents/sessions/{id}/events, where a person signs an agent in.
  [
    'a password for a page',
    '/v1/agents/sessions/s/events',
    {
      events: [
        {
          type: 'agent.session.input.computer_use_approval_request_result',
          request_id: 'r',
          response: {
            type: 'browser_authentication',
            action: 'submit',
            fields: [{ field_id: 'f', value: secret }],
          },
        },
      ],
    },
  ],
  [
    'the key of a tool that Groq runs',
    '/openai/v1/chat/completions',
    { compound_custom: { tools: { wolfram_settings: { authorization: secret } } } },
  ],
  ['a provider’s key that a gateway is to use', '/api/v1/byok', { provider: 'openai', key: secret }],
  ['the same, changed', '/api/v1/byok/7', { key: secret }],
  // https://docs.x.ai/developers/tools/remote-mcp
  [
    'the headers of a server that xAI calls',
    '/v1/responses',
    { tools: [{ extra_headers: { 'x-k': secret } }] },
  ],
  // https://lmstudio.ai/docs/developer/core/mcp
  [
    'the headers of a server that LM Studio calls',
    '/api/v1/chat',
    { integrations: [{ type: 'ephemeral_mcp', headers: { 'x-k': secret } }] },
  ],
  [
    'what Vertex signs in with to a search of the customer’s',
    '/v1/projects/p:generateContent',
    { tools: [{ retrieval: { externalApi: { authConfig: { oauthConfig: { accessToken: secret } } } } }] },
  ],
  [
    'a key in a list of one that is none',
    '/v1/projects/p:generateContent',
    { tools: { exaAiSearch: { apiKey: secret } } },
  ],
  // https://docs.litellm.ai/docs/proxy/clientside_auth
  [
    'a key that LiteLLM is to use',
    '/v1/chat/completions',
    { api_key: secret, api_base: 'https://a.example' },
  ],
  ...[
    { model: 'azure/m', api_key: secret },
    { model: 'bedrock/n', aws_secret_access_key: secret },
    { model: 'vertex_ai/o', vertex_credentials: { private_key: secret } },
  ].map(
    (asked) =>
      [
        `a key of what LiteLLM is told to ask for ${asked.model}`,
        '/v1/chat/completions',
        { user_config: { model_list: [{ model_name: 'm', litellm_params: asked }] } },
      ] as const,
  ),
  ['the same for a fallback', '/v1/chat/completions', { fallbacks: [{ model: 'm', api_key: secret }] }],
  // https://vercel.com/docs/ai-gateway/authentication-and-byok/byok
  [
    'the keys that Vercel is to use',
    '/v1/chat/completions',
    { providerOptions: { gateway: { byok: { bedrock: [{ secretAccessKey: secret }] } } } },
  ],
  // https://docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_GetResourceApiKey.html
  ['an agent’s identity', '/identities/api-key', { workloadIdentityToken: secret }],
  ['a user’s token', '/identities/GetWorkloadAccessTokenForJWT', { userToken: secret }],
  ['a vault’s credential', '/v1/vaults/v/credentials', { auth: { type: 'mcp_oauth', access_token: secret } }],
  [
    'a connector’s token',
    '/v1/conversations',
    { tools: [{ type: 'connector', authorization: { type: 'api-key', value: secret } }] },
  ],
  // @mistralai/mistralai: CreateConnectorRequest, AuthenticationMethodCreateOrUpdateRequest.
  [
    'what a connector sends always',
    '/v1/connectors',
    { name: 'a', global_headers: { K: { value: secret } } },
  ],
  [
    'the client of a way to sign in to a connector',
    '/v1/connectors/a/authentication_methods',
    { method_type: 'oauth2', oauth2_metadata_secrets: { client_secret: secret } },
  ],
  [
    'the same in a list of them',
    '/v1/connectors/a',
    { auth_methods: [{ method_type: 'oauth2', auth_data: { client_secret: secret } }] },
  ],
  ['a connector’s user token', '/v1/chat', { connectors: [{ id: 'a', user_access_token: secret }] }],
  [
    'a retrieval’s key',
    '/v1beta/models/m:generateContent',
    { tools: [{ retrieval: { externalApi: { apiAuth: { apiKeyConfig: { apiKeyString: secret } } } } }] },
  ],
];

describe('a request without', () => {
  test.each(requests)('%s says everything else', (_what, path, body) => {
    const before = JSON.stringify(body, null, 1);
    const { bytes, removed } = withoutRequestSecrets(path, Buffer.from(before), mark);
    expect(removed).toBe(1);
    expect(bytes.toString()).toBe(before.replace(secret, mark));
  });

  test('a credential in a line of a batch file keeps the lines around it', () => {
    const line = (value: string) =>
      `{"custom_id":"a","body":{"tools":[{"type":"mcp","authorization":"${value}"}]}}\n`;
    const file = (value: string) => `${line(value)}no json\n\n${line(value)}`;
    const { bytes, removed } = withoutRequestSecrets('/v1/files', Buffer.from(file(secret)), mark);
    expect([removed, bytes.toString()]).toEqual([2, file(mark)]);
  });

  test('one whose name is spelt with escapes, or that is cut off, is without it too', () => {
    const escaped = '{"tools":[{"\\u0061uthorization":"SECRET"}]}';
    expect(withoutRequestSecrets('/', Buffer.from(escaped), mark).bytes.toString()).not.toContain(secret);
    const cut = '{"tools":[{"authorization":"SECRET';
    expect(withoutRequestSecrets('/', Buffer.from(cut), mark).bytes.toString()).not.toContain(secret);
  });

  test.each([
    ['what a tool is called with', { messages: [{ content: [{ input: { authorization: 'yes' } }] }] }],
    [
      'a tool that has such parameters',
      { tools: [{ function: { parameters: { properties: { authorization: { type: 'string' } } } } }] },
    ],
    [
      'a tool whose schema has headers',
      { tools: [{ input_schema: { properties: { headers: { description: 'Of the mail.' } } } }] },
    ],
    ['what was said', { messages: [{ role: 'user', content: '{"tools":[{"authorization":"a"}]}' }] }],
    ['a credential that is not there', { tools: [{ type: 'mcp', authorization: null }] }],
  ])('nothing taken out keeps %s', (_what, body) => {
    const bytes = Buffer.from(JSON.stringify(body));
    expect(withoutRequestSecrets('/v1/messages', bytes, mark)).toEqual({ bytes, removed: 0 });
  });
});

// https://docs.tavily.com/documentation/mcp: servers of tools that take their key in the address.
describe('an address without its keys', () => {
  const addresses: readonly (readonly [given: string, kept: string])[] = [
    ['https://mcp.acme.example/mcp/?acmeApiKey=SECRET', 'https://mcp.acme.example/mcp/?acmeApiKey=[removed]'],
    ['https://a.example/?k=SECRET&profile=SECRET#SECRET', 'https://a.example/?k=[removed]&profile=[removed]'],
    ['https://me:SECRET@a.example/mcp', 'https://[removed]@a.example/mcp'],
    ['https://a.example/mcp?SECRET', 'https://a.example/mcp?[removed]'],
  ];
  const written = (url: string) =>
    [
      ['/v1/responses', { tools: [{ type: 'mcp', server_label: 'a', server_url: url }] }],
      ['/v1/realtime/client_secrets', { session: { tools: [{ type: 'mcp', server_url: url }] } }],
      ['/v1/agents', { tools: [{ type: 'mcp', name: 'a', transport: { type: 'http', url } }] }],
      ['/v1/responses', { tools: [{ type: 'mcp', name: 'a', url }] }],
      ['/v1/messages', { mcp_servers: [{ type: 'url', name: 'a', url }] }],
      ['/v1/messages/batches', { requests: [{ custom_id: 'a', params: { mcp_servers: [{ url }] } }] }],
      ['/v1beta/interactions', { tools: [{ type: 'mcp_server', name: 'a', url }] }],
      [
        '/v1beta/models/m:generateContent',
        { tools: { mcpServers: [{ name: 'a', streamableHttpTransport: { url } }] } },
      ],
      ['/harnesses/invoke', { tools: [{ config: { remoteMcp: { url } } }] }],
      ['/api/v1/chat', { integrations: [{ type: 'ephemeral_mcp', server_label: 'a', server_url: url }] }],
    ] as const;

  test.each(addresses)('%s', (given, kept) => {
    for (const [path, body] of written(given)) {
      const bytes = Buffer.from(JSON.stringify(body));
      expect(JSON.parse(withoutRequestSecrets(path, bytes, mark).bytes.toString())).toEqual(
        JSON.parse(JSON.stringify(body).replace(given, kept)),
      );
      const answer = withoutAnswerSecrets(path, bytes, mark).bytes.toString();
      expect(answer).not.toContain(secret);
      expect(withoutMessageSecrets(bytes, mark).bytes.toString()).not.toContain(secret);
    }
  });

  test.each(addresses)('%s, of a connector', (given, kept) => {
    const bytes = Buffer.from(JSON.stringify({ name: 'a', server: given }));
    const without = { name: 'a', server: kept };
    const { bytes: request } = withoutRequestSecrets('/v1/connectors', bytes, mark);
    const { bytes: answer } = withoutAnswerSecrets('/v1/connectors/a', bytes, mark);
    expect([request, answer].map((part) => JSON.parse(part.toString()))).toEqual([without, without]);
    const list = Buffer.from(JSON.stringify({ items: [{ name: 'a', server: given }] }));
    const { bytes: listed } = withoutAnswerSecrets('/v1/connectors', list, mark);
    expect(JSON.parse(listed.toString())).toEqual({ items: [without] });
  });

  test('is whole where it has none', () => {
    for (const [path, body] of written('https://mcp.acme.example/mcp')) {
      const bytes = Buffer.from(JSON.stringify(body));
      expect(withoutRequestSecrets(path, bytes, mark)).toEqual({ bytes, removed: 0 });
    }
  });

  test.each([
    '{"tools":[{"server_url":"https://a.example/?k=SECRET',
    '{"tools":[{"server_url":"https://a\\u003fSECRET',
    '{"tools":[{"server_url":"https://me:SECRET',
  ])('is cut off without them: %s', (cut) => {
    expect(withoutRequestSecrets('/', Buffer.from(cut), mark).bytes.toString()).not.toContain(secret);
  });
});

test('the variables of OpenAI’s templates of environments stay', () => {
  const bytes = Buffer.from(JSON.stringify({ env: { PATH: '/bin' } }));
  const { removed } = withoutRequestSecrets('/v1/agents/environments/t', bytes, mark);
  expect(removed).toBe(0);
});

describe('an answer without', () => {
  test.each([
    ['/v1/realtime/client_secrets', { value: secret, expires_at: 1, session: { model: 'm' } }],
    ['/openai/v1/realtime/client_secrets', { value: secret, expires_at: 1 }],
    ['/v1/realtime/sessions', { id: 's', client_secret: { value: secret, expires_at: 1 } }],
    ['/v1/realtime/client-secrets', { token: secret, expiresAt: 1 }],
    ['/v1/realtime/transcription_sessions', { client_secret: { value: secret } }],
    ['/v1/chatkit/sessions', { id: 's', client_secret: secret }],
    ['/v1/client/sessions', { object: 'client.session', client_secret: { value: secret, expires_at: 'a' } }],
    ['/v1/connectors', { detail: [{ type: 'missing', input: { auth_data: { client_secret: secret } } }] }],
    ['/v1alpha/auth_tokens', { name: secret }],
    ['/v1/user_profiles/u/enrollment_url', { type: 'enrollment_url', url: secret }],
    ['/v1/organization/admin_api_keys', { id: 'k', value: secret }],
    ['/v1/organization/projects/p/service_accounts', { api_key: { value: secret } }],
    ['/v1/environments/e/work/poll', { id: 'w', secret }],
    ['/v1beta/environments/e', { network: { allowlist: [{ domain: 'a', transform: { K: secret } }] } }],
    ['/v1beta/environments', { environments: [{ network: { allowlist: [{ transform: { K: secret } }] } }] }],
    ['/v1/tunnels/t/reveal_token', { type: 'tunnel_token', tunnel_token: secret }],
    ['/api/v1/keys', { data: { hash: 'h', label: 'sk-or-v1-...' }, key: secret }],
    ['/api/v1/auth/keys', { key: secret, user_id: 'u' }],
    ['/identities/api-key', { apiKey: secret }],
    ['/identities/oauth2/token', { accessToken: secret }],
    ['/identities/GetWorkloadAccessToken', { workloadAccessToken: secret }],
    ['/v1/tunnels/t/rotate_token', { type: 'tunnel_token', tunnel_token: secret }],
    ['/v1/webhook_endpoints', { id: 'w', signing_secret: secret, signing_secret_hint: 'S' }],
    ['/v1/evaluation/e', { workflow_id: 'e', parameters: { model_a: { external_api_token: secret } } }],
    ['/v1/webhook_endpoints/w/rotate_secret', { id: 'w', signing_secret: secret }],
  ])('the key that %s hands out says everything else', (path, body) => {
    const { bytes, removed } = withoutAnswerSecrets(path, Buffer.from(JSON.stringify(body)), mark);
    expect(removed).toBeGreaterThan(0);
    expect(bytes.toString()).not.toContain(secret);
    expect(Object.keys(JSON.parse(bytes.toString()))).toEqual(Object.keys(body));
  });

  const tools = [{ type: 'mcp', authorization: secret, headers: { 'x-key': secret }, server_label: 'a' }];
  const event = (type: string, data: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
  const mcp_servers = [{ name: 'a', authorization_token: secret }];
  test.each<[string, string, string]>([
    ['an answer that repeats its tools', '/v1/responses', JSON.stringify({ object: 'response', tools })],
    ['one that is asked for by its id', '/v1/responses/resp_1', JSON.stringify({ tools }, null, 2)],
    ['a list', '/v1/chat/completions', JSON.stringify({ object: 'list', data: [{ tools }, { tools }] })],
    [
      'what Azure is given to read beside',
      '/openai/deployments/d/chat/completions',
      JSON.stringify({
        data_sources: [{ parameters: { authentication: { type: 'api_key', key: secret } } }],
      }),
    ],
    [
      'the request in an error',
      '/v1/chat/completions',
      JSON.stringify({ detail: [{ type: 'missing', loc: ['body'], input: { tools } }] }),
    ],
    [
      'events',
      '/v1/responses',
      event('response.created', { response: { tools } }) +
        event('response.completed', { response: { tools } }),
    ],
    [
      'events whose lines end otherwise',
      '/v1/responses',
      event('response.created', { response: { tools } }).replaceAll('\n', '\r'),
    ],
    ['an event without a space', '/v1/responses', `data:${JSON.stringify({ response: { tools } })}\r\n\r\n`],
    [
      'an event over several lines',
      '/v1/responses',
      `data: ${JSON.stringify({ response: { tools } }, null, 1).replaceAll('\n', '\ndata: ')}\n\n`,
    ],
    [
      'the event after one that is no JSON',
      '/v1/responses',
      `data: {"response":[\n\n${event('response.created', { response: { tools } })}`,
    ],
    [
      'an event that was cut off',
      '/v1/responses',
      event('response.created', { response: { tools } }).slice(0, -9),
    ],
    [
      'a line of a batch’s answers',
      '/v1/files/file-1/content',
      `${JSON.stringify({ custom_id: 'a', response: { status_code: 200, body: { tools } } })}\n`,
    ],
    ['an agent', '/v1/agents/a', JSON.stringify({ id: 'a', mcp_servers })],
    ['agents', '/v1/agents', JSON.stringify({ data: [{ id: 'a', mcp_servers }] })],
  ])('what the request brought along: %s', (_what, path, body) => {
    const { bytes, removed } = withoutAnswerSecrets(path, Buffer.from(body), mark);
    expect(removed).toBeGreaterThan(0);
    // Nothing else is touched.
    expect(bytes.toString()).toBe(body.replaceAll(secret, mark));
  });

  test.each(['', '***', '<redacted>', '[REDACTED]', '•••••'])(
    'nothing is what a provider puts in its place: %j',
    (value) => {
      const bytes = Buffer.from(JSON.stringify({ tools: [{ headers: { authorization: value } }] }));
      expect(withoutAnswerSecrets('/v1/responses', bytes, mark)).toEqual({ bytes, removed: 0 });
    },
  );

  test('what a tool was called with, or is said, stays: it is content', () => {
    const said = {
      output: [{ type: 'function_call', arguments: '{"authorization":"yes"}' }],
      text: '"headers"',
    };
    const bytes = Buffer.from(JSON.stringify({ ...said, content: [{ input: { headers: { a: 'b' } } }] }));
    expect(withoutAnswerSecrets('/v1/responses', bytes, mark)).toEqual({ bytes, removed: 0 });
  });

  test('one is what other endpoints answer, whatever they call it', () => {
    const bytes = Buffer.from('{"value":"v","client_secret":"s","name":"n"}');
    expect(withoutAnswerSecrets('/v1/chat/completions', bytes, mark)).toEqual({ bytes, removed: 0 });
  });
});

test('a message of a socket is without what its session’s tools are set up with', () => {
  const update = (value: string) =>
    JSON.stringify({ type: 'session.update', session: { tools: [{ type: 'mcp', authorization: value }] } });
  const { bytes, removed } = withoutMessageSecrets(Buffer.from(update(secret)), mark);
  expect([removed, bytes.toString()]).toEqual([1, update(mark)]);
});

test('a credential is taken out wherever it stands in a long body', () => {
  const left: number[] = [];
  for (let before = 32_700; before < 32_830; before += 1) {
    const body = Buffer.from(JSON.stringify({ pad: 'x'.repeat(before), authorization_token: secret }));
    const { bytes, removed } = withoutRequestSecrets('/v1/agents/1/sessions', body, mark);
    if (removed !== 1 || bytes.includes(secret)) left.push(before);
  }
  expect(left).toEqual([]);
});
