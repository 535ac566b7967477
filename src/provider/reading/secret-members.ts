/**
 * Where providers' APIs take a credential in a body, or hand one out: as their references and SDKs have it. Named
 * by where it stands, never by its name alone, because what a tool is called with is content. Pure.
 */
import { remembered } from '../../core/remembered.ts';
import { type Step, stepsOf, withoutMembers } from '../wire/removed-members.ts';

/** Where a request may stand within its body: alone, on a socket, as a line or an element of a batch. */
const roots = [
  '',
  'session.',
  'response.',
  'setup.',
  'bidi_generate_content_setup.',
  'config.',
  'agent.',
  'body.',
  'body.session.',
  'requests.*.params.',
  'requests.*.',
  'batch.inputConfig.requests.requests.*.request.',
  'extra_body.',
];

/** Members of a request, in any family. */
const inRequests = [
  // OpenAI Responses and Realtime, Gemini Interactions: remote MCP servers. Mistral: connectors.
  'tools.*.authorization',
  'tools.*.headers',
  'tools.*.transport.authorization',
  'tools.*.transport.headers',
  // xAI's own name for them.
  'tools.*.extra_headers',
  // LM Studio: servers that a request brings along.
  'integrations.*.headers',
  // OpenAI: what a container may send to the hosts it reaches.
  'tools.*.container.network_policy.domain_secrets.*.value',
  'tools.*.environment.network_policy.domain_secrets.*.value',
  'network_policy.domain_secrets.*.value',
  // Azure OpenAI on your data, as it is written since 2024 and as before.
  'data_sources.*.parameters.authentication',
  'data_sources.*.parameters.embedding_dependency.authentication',
  'data_sources.*.parameters.key',
  'data_sources.*.parameters.embedding_key',
  'data_sources.*.parameters.connection_string',
  // Anthropic: MCP servers, and what sessions of managed agents reach.
  'mcp_servers.*.authorization_token',
  'mcp_servers.*.headers',
  'mcp_servers.*.authorization',
  'mcp_servers.*.transport.authorization',
  'mcp_servers.*.transport.headers',
  'resources.*.authorization_token',
  'authorization_token',
  // Gemini and Vertex.
  'tools.*.mcp_servers.*.streamable_http_transport.headers',
  'tools.*.mcp_servers.*.headers',
  'tools.*.retrieval.external_api.api_auth.api_key_config.api_key_string',
  'tools.*.retrieval.external_api.auth_config',
  'tools.*.google_maps.auth_config',
  'tools.*.parallel_ai_search.api_key',
  'tools.*.exa_ai_search.api_key',
  // Gemini Interactions and its agents: what an environment sends to the hosts it reaches, and its variables.
  'environment.network.allowlist.*.transform',
  'environment.env',
  'base_environment.network.allowlist.*.transform',
  'base_environment.env',
  'interaction.environment.network.allowlist.*.transform',
  'interaction.environment.env',
  // Bedrock's AgentCore.
  'tools.*.config.remote_mcp.headers',
  // Where such servers are: some take their key in the address.
  'tools.*.server_url?',
  'tools.*.url?',
  'tools.*.transport.url?',
  'tools.*.transport.server_url?',
  'tools.*.mcp_servers.*.streamable_http_transport.url?',
  'tools.*.mcp_servers.*.url?',
  'tools.*.config.remote_mcp.url?',
  'integrations.*.server_url?',
  'mcp_servers.*.url?',
  'mcp_servers.*.transport.url?',
  // Groq: what it signs in with to a tool that it runs.
  'compound_custom.tools.wolfram_settings.authorization',
  // Cohere.
  'connectors.*.user_access_token',
  // Gateways: LiteLLM, for the model and for what it falls back to, and Vercel's.
  'api_key',
  'fallbacks.*.api_key',
  ...[
    ...['api_key', 'azure_ad_token', 'azure_password', 'client_secret', 'vertex_credentials'],
    ...['aws_access_key_id', 'aws_secret_access_key', 'aws_session_token', 'extra_headers'],
  ].map((name) => `user_config.model_list.*.litellm_params.${name}`),
  'provider_options.gateway.byok',
];

/** Google takes a single value for a list of one. */
const inRequestsOrAlone = inRequests.flatMap((path) => [path, path.replace(/^tools\.\*\./, 'tools.')]);

/** Where a server repeats a request in its answer: what it made of it, an event, a list, a batch's line, an error. */
const echoRoots = [
  ...roots,
  'response.body.',
  'result.message.',
  'data.*.',
  'data.*.agent.',
  'data.*.session.',
  'items.*.',
  'detail.*.input.',
  'error.request.',
];

/** What every request of the kinds above has somewhere, as it is mostly written; or an escaped letter, which may hide it. */
const telltale =
  /uthorization|"headers"|erver_?[uU]rl|[mM]cp|domain_secrets|data_?[sS]ources|pi_?[kK]ey|"byok"|"litellm_params"|"extra_headers"|uth_?[cC]onfig|user_access_token|"(transform|env)"|\\u00[4-7]/;

/** The longest text that the pattern above matches is shorter. */
const telltaleBytesMax = 32;
/** What is looked at at once, so that no text as long as the body has to be made. */
const sliceBytes = 32 * 1024;

function hasTelltale(bytes: Buffer): boolean {
  for (let from = 0; from < bytes.length; from += sliceBytes)
    if (telltale.test(bytes.toString('latin1', from, from + sliceBytes + telltaleBytesMax))) return true;
  return false;
}

interface Endpoint {
  /** Of the path, in lower case. */
  readonly path: RegExp;
  readonly members: readonly string[];
}

/** Of Cohere's connectors and Mistral's, which may list ways to sign in; some take their key in the address. */
const connectorSecrets = [
  ...['service_auth', 'oauth', 'credentials', 'server?'],
  ...['', 'auth_methods.*.'].flatMap((root) =>
    ['auth_data', 'headers', 'global_headers', 'oauth2_metadata_secrets'].map((name) => root + name),
  ),
];

/** Of an environment of Gemini's agents, which others have within them: what it sends to the hosts it reaches, and its variables. */
const environments = /(?<!\/agents)\/environments(\/[^/]+)?\/?$/;
const environmentSecrets = ['network.allowlist.*.transform', 'env'];

/** Requests that create or change a credential. */
const requestsTo: readonly Endpoint[] = [
  { path: /\/vaults\/[^/]+\/credentials(\/|$)/, members: ['auth'] },
  // What a person typed to let an agent sign in somewhere, passwords among it.
  {
    path: /\/agents\/sessions(\/|$)/,
    members: ['', 'events.*.', 'input.*.', 'event.'].map((root) => `${root}response.fields.*.value`),
  },
  { path: /\/vault\/(interns\/[^/]+\/)?secrets(\/|$)/, members: ['value'] },
  { path: /\/connectors(\/|$)/, members: connectorSecrets },
  // OpenRouter's, of the providers that it asks with a key of the customer's.
  { path: /\/byok(\/|$)/, members: ['key'] },
  // Of AgentCore's identities: who asks for a key, and what a provider of keys is given.
  {
    path: /\/identities\//,
    members: ['workloadIdentityToken', 'userToken', 'apiKey', 'oauth2ProviderConfigInput.*.clientSecret'],
  },
  // Together's, of the models elsewhere that an evaluation asks.
  { path: /\/evaluation$/, members: ['parameters.*.external_api_token'] },
  // Gemini's, which its agents' environments send on.
  { path: /\/credentials(\/|$)/, members: ['token', 'value', 'client_secret', 'refresh_token'] },
  { path: environments, members: environmentSecrets },
];

// Vercel's gateway calls it a token.
const sessionSecrets = ['value', 'client_secret', 'session.client_secret', 'token'];

/** Answers that hand one out. */
const answersOf: readonly Endpoint[] = [
  {
    path: /\/(realtime|live)\/([a-z_]*sessions|(translations\/)?client[_-]secrets)(\/|$)/,
    members: sessionSecrets,
  },
  // OpenAI's, and Mistral's of whoever is to speak to it from a browser.
  { path: /\/(chatkit|client)\/sessions(\/|$)/, members: ['client_secret'] },
  // Of a connector, where it is; and all that was sent, where the server found a fault with it.
  {
    path: /\/connectors(\/|$)/,
    members: ['server?', 'items.*.server?', ...connectorSecrets.map((path) => `detail.*.input.${path}`)],
  },
  // A link that lets whoever has it enrol.
  { path: /\/user_profiles\/[^/]+\/enrollment_url$/, members: ['url'] },
  { path: /\/auth_?tokens$/, members: ['name'] },
  { path: /\/organization\/.*(api_keys|service_accounts)/, members: ['value', 'api_key.value'] },
  // OpenRouter's own.
  { path: /\/v1\/(auth\/)?keys$/, members: ['key'] },
  { path: /\/environments\/[^/]+\/work(\/|$)/, members: ['secret', 'data.*.secret'] },
  {
    path: environments,
    members: ['', 'environments.*.'].flatMap((root) => environmentSecrets.map((name) => root + name)),
  },
  { path: /\/identities\//, members: ['apiKey', 'accessToken', 'workloadAccessToken'] },
  { path: /\/evaluations?(\/|$)/, members: ['parameters.*.external_api_token'] },
  { path: /\/tunnels\/[^/]+\/(reveal|rotate)_token$/, members: ['tunnel_token'] },
  { path: /\/webhook(s|_endpoints)/, members: ['secret', 'signing_secret', 'new_signing_secret'] },
];

const everyRequest = stepsOf(roots.flatMap((root) => inRequestsOrAlone.map((path) => root + path)));
const everyMessage = stepsOf([
  ...roots.flatMap((root) => inRequestsOrAlone.map((path) => root + path)),
  'session.client_secret',
]);
const everyAnswer = stepsOf(echoRoots.flatMap((root) => inRequestsOrAlone.map((path) => root + path)));
const stepsByEndpoint = new Map<Endpoint, Step>(
  [...requestsTo, ...answersOf].map((endpoint) => [endpoint, stepsOf(endpoint.members)]),
);

export interface Redaction {
  readonly bytes: Buffer;
  /** How many values were taken out. */
  readonly removed: number;
}

function without(bytes: Buffer, steps: Step, mark: string): Redaction {
  const { text, removed } = withoutMembers(bytes.toString('latin1'), steps, mark);
  return removed === 0 ? { bytes, removed } : { bytes: Buffer.from(text, 'latin1'), removed };
}

function endpointAt(endpoints: readonly Endpoint[], path: string): Step | null {
  const lower = path.toLowerCase();
  const found = endpoints.find((endpoint) => endpoint.path.test(lower));
  return (found && stepsByEndpoint.get(found)) ?? null;
}

const requestEndpointAt = remembered((path) => endpointAt(requestsTo, path));
const answerEndpointAt = remembered((path) => endpointAt(answersOf, path));

/**
 * A request's bytes (content-encoding already removed; JSON, a form's part, or lines of JSON; cut off or not) with
 * `mark` for each credential in it.
 */
export function withoutRequestSecrets(path: string, bytes: Buffer, mark: string): Redaction {
  const special = requestEndpointAt(path);
  const first = special === null ? { bytes, removed: 0 } : without(bytes, special, mark);
  if (!hasTelltale(first.bytes)) return first;
  const { bytes: safe, removed } = without(first.bytes, everyRequest, mark);
  return { bytes: safe, removed: first.removed + removed };
}

/** What some providers repeat in place of a credential, in Latin-1: nothing, stars or dots, or a word that says so. */
const masked = /^"(?:(?:[*.x-]|\u00e2\u0080\u00a2)*|[<[({]*(?:redacted|removed|hidden|masked)[>\])}]*)"$/i;
const eventData = /(?:^|[\r\n])data:/;
const betweenEvents = /((?:\r\n|\n|\r(?!\n)){2,})/;

/** Each event by itself, so that one that is no JSON does not hide those after it. */
function withoutEchoes(bytes: Buffer, mark: string): Redaction {
  if (!hasTelltale(bytes)) return { bytes, removed: 0 };
  const text = bytes.toString('latin1');
  const pieces = eventData.test(text) ? text.split(betweenEvents) : [text];
  let removed = 0;
  const safe = pieces.map((piece) => {
    const found = withoutMembers(piece, everyAnswer, mark, (written) => masked.test(written));
    removed += found.removed;
    return found.text;
  });
  return removed === 0 ? { bytes, removed } : { bytes: Buffer.from(safe.join(''), 'latin1'), removed };
}

/**
 * An answer's bytes (JSON, lines of JSON or server-sent events; cut off or not) with `mark` for each credential that
 * this endpoint hands out, or that the request had and the server repeats.
 */
export function withoutAnswerSecrets(path: string, bytes: Buffer, mark: string): Redaction {
  const special = answerEndpointAt(path);
  const first = special === null ? { bytes, removed: 0 } : without(bytes, special, mark);
  const { bytes: safe, removed } = withoutEchoes(first.bytes, mark);
  return { bytes: safe, removed: first.removed + removed };
}

/** One message of a socket: what a session is set up with, and what the provider repeats of that. */
export function withoutMessageSecrets(bytes: Buffer, mark: string): Redaction {
  return hasTelltale(bytes) || bytes.includes('client_secret')
    ? without(bytes, everyMessage, mark)
    : { bytes, removed: 0 };
}
