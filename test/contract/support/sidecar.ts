/** A real sidecar in this process, an embedded provider behind it, and a token for every role. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { systemRandom } from '../../../src/core/clock.ts';
import { type Role, roles } from '../../../src/core/roles.ts';
import { type DemoProvider, startDemoProvider } from '../../../src/demo/provider.ts';
import { type Machine, type Sidecar, startSidecar } from '../../../src/sidecar.ts';
import { addToken } from '../../../src/store/token-file.ts';

export const policyText = `
version: "test"
rules:
  - id: large-transfer
    title: Transfers need a reviewer
    phase: response
    when: response.toolCalls.exists(c, c.name == "transfer_funds")
    action: hold
    severity: high
    hold: { expiresIn: 15m, approvals: 1, roles: [reviewer], notRequester: true }
    tests:
      - { name: hit, expect: match, response: { toolCalls: [{ name: transfer_funds }] } }
      - { name: miss, expect: no-match, response: { toolCalls: [{ name: other }] } }
  - id: two-eyes
    title: Deletions need two reviewers
    phase: response
    when: response.toolCalls.exists(c, c.name == "delete_records")
    action: hold
    severity: critical
    hold: { expiresIn: 15m, approvals: 2, roles: [reviewer, admin], breakGlass: { roles: [admin], reviewIn: 1h } }
    tests:
      - { name: hit, expect: match, response: { toolCalls: [{ name: delete_records }] } }
      - { name: miss, expect: no-match, response: { toolCalls: [{ name: other }] } }
  - id: asks-first
    title: Escalations are held before they are sent
    phase: request
    when: request.text.contains("escalate")
    action: hold
    severity: low
    hold: { roles: [reviewer] }
    tests:
      - { name: hit, expect: match, request: { text: escalate } }
      - { name: miss, expect: no-match, request: { text: hello } }
  - id: forbidden-topic
    title: Never this
    phase: request
    when: request.text.contains("forbidden topic")
    action: deny
    tests:
      - { name: hit, expect: match, request: { text: forbidden topic } }
      - { name: miss, expect: no-match, request: { text: hello } }
`;

/** A call that hangs fails at last; how long a test may take is for the test to say. */
const callMsMax = 60_000;

export interface House {
  readonly directory: string;
  readonly dataDir: string;
  readonly configFile: string;
  readonly policyFile: string;
  readonly provider: DemoProvider;
  readonly sidecar: Sidecar;
  readonly tokens: Readonly<Record<Role, string>>;
  /** A call to the control port; the role's token unless told otherwise. */
  call(path: string, init?: CallInit): Promise<Answer>;
  /** A call of a workload. */
  ask(prompt: string, init?: AskInit): Promise<Response>;
  close(): Promise<void>;
}

export interface CallInit {
  readonly method?: string;
  readonly as?: Role | null;
  readonly token?: string;
  readonly headers?: Record<string, string>;
  readonly json?: unknown;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

export interface AskInit {
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
  readonly stream?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
}

export const tools = ['transfer_funds', 'delete_records'].map((name) => ({
  type: 'function',
  function: { name, description: name, parameters: { type: 'object', properties: {} } },
}));

export async function startHouse(
  options: {
    readonly settings?: object;
    readonly machine?: Machine;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<House> {
  const directory = mkdtempSync(join(tmpdir(), 'holdpoint-contract-'));
  const provider = await startDemoProvider({ port: 0 });
  const files = writeHouse(directory, provider.url, options.settings ?? {});
  const sidecar = await startSidecar(files.configFile, options.env ?? {}, options.machine);
  const tokens = makeTokens(join(files.dataDir, 'tokens.json'));
  return {
    directory,
    ...files,
    provider,
    sidecar,
    tokens,
    call: (path, init = {}) => call(sidecar.controlUrl, path, tokens, init),
    ask: (prompt, init = {}) => ask(sidecar.proxyUrl, prompt, init),
    close: async () => {
      await sidecar.stop('test ended');
      await provider.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Writes configuration and policy for a sidecar that binds free ports. */
export function writeHouse(directory: string, providerUrl: string, settings: object) {
  const dataDir = join(directory, 'data');
  const configFile = join(directory, 'holdpoint.yaml');
  const policyFile = join(directory, 'policy.yaml');
  writeFileSync(policyFile, policyText);
  const config = {
    proxy: { listen: '127.0.0.1:0' },
    control: { listen: '127.0.0.1:0', hosts: ['holdpoint.example.com'] },
    data: { dir: dataDir },
    upstreams: { openai: { url: providerUrl, protocol: 'openai', mount: '/' } },
    policy: { file: policyFile },
    workload: { name: 'billing-agent' },
    log: { level: 'silent' },
    ...settings,
  };
  writeFileSync(configFile, JSON.stringify(config));
  return { dataDir, configFile, policyFile };
}

function makeTokens(file: string): Record<Role, string> {
  const make = (role: Role) => addToken(file, { name: `${role}-1`, role }, Date.now(), systemRandom);
  const [viewer, reviewer, auditor, privacy, reporter, admin] = roles.map(make);
  return z
    .object({
      viewer: z.string(),
      reviewer: z.string(),
      auditor: z.string(),
      privacy: z.string(),
      reporter: z.string(),
      admin: z.string(),
    })
    .parse({ viewer, reviewer, auditor, privacy, reporter, admin });
}

async function call(
  base: string,
  path: string,
  tokens: Readonly<Record<Role, string>>,
  init: CallInit,
): Promise<Answer> {
  const token = init.token ?? (init.as === null ? undefined : tokens[init.as ?? 'reviewer']);
  const body = init.json === undefined ? init.body : JSON.stringify(init.json);
  const response = await fetch(`${base}${path}`, {
    method: init.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(init.json === undefined ? {} : { 'content-type': 'application/json' }),
      ...init.headers,
    },
    ...(body === undefined ? {} : { body }),
    signal: AbortSignal.timeout(callMsMax),
  });
  const text = await response.text();
  const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '') && text !== '';
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : null };
}

function ask(base: string, prompt: string, init: AskInit): Promise<Response> {
  return fetch(`${base}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-test', ...init.headers },
    body: JSON.stringify({
      model: 'gpt-test',
      messages: [{ role: 'user', content: prompt }],
      tools,
      ...(init.stream === true ? { stream: true } : {}),
    }),
    ...(init.signal === undefined ? {} : { signal: init.signal }),
  });
}

const pageSchema = z.object({
  items: z.array(z.looseObject({ id: z.string(), decisionId: z.string(), digest: z.string() })),
});
export type Held = z.output<typeof pageSchema>['items'][number];

/** The first pending hold, once there is one. */
export async function nextHold(house: Pick<House, 'call'>): Promise<Held> {
  return eventually(async () => {
    const { json } = await house.call('/api/v1/holds?state=pending');
    return pageSchema.parse(json).items[0];
  });
}

/** Asks until there is an answer; for what the product does in its own time. */
export async function eventually<T>(look: () => Promise<T | undefined | null | false>): Promise<T> {
  const until = Date.now() + 15_000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== null && found !== false) return found;
    if (Date.now() > until) throw new Error('it did not happen within 15 s');
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

/** The decision's outcome, once it has one. */
export async function outcomeOf(house: Pick<House, 'call'>, decisionId: string): Promise<string> {
  return eventually(async () => {
    const { json } = await house.call(`/api/v1/decisions/${decisionId}`);
    return z.object({ outcome: z.string().nullable() }).parse(json).outcome;
  });
}

export function readText(file: string): string {
  return readFileSync(file, 'utf8');
}
