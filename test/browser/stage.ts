/**
 * A stage for the console: the demonstration provider, or one that says what the test tells it to, a real sidecar
 * in-process, people with tokens, and the official SDK as the workload.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { type Browser, chromium } from 'playwright-core';
import { systemClock, systemRandom } from '../../src/core/clock.ts';
import { startDemoProvider } from '../../src/demo/provider.ts';
import type { Verdict } from '../../src/ledger/verify/verify.ts';
import { type Machine, type Sidecar, startSidecar } from '../../src/sidecar.ts';
import { addToken } from '../../src/store/token-file.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';

/** Debian's builds of Chromium: the one without a window system starts and draws with a quarter less work. */
const builds = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'];
export const chromiumPath = process.env['CHROMIUM_PATH'] ?? builds.find(existsSync) ?? builds[0] ?? '';

/** '' when the browser is there; else what to install. */
export const missingBrowser = existsSync(chromiumPath)
  ? ''
  : `${chromiumPath} is missing: install the Debian package chromium-headless-shell or chromium, or set CHROMIUM_PATH`;

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export interface Stage {
  readonly sidecar: Sidecar;
  /** A new person's token. */
  token(name: string, role: string): string;
  /** The workload's SDK, under the name of a workload. */
  workload(name?: string): OpenAI;
  /** Stops the sidecar and verifies the ledger it leaves. */
  verdict(): Promise<Verdict>;
  close(): Promise<void>;
}

/** `policy` is the text of a policy file; `upstreamUrl` replaces the demonstration provider; `settings` are added to the configuration. */
export async function setStage(
  policy: string,
  upstreamUrl?: string,
  control: Readonly<Record<string, unknown>> = {},
  machine?: Machine,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<Stage> {
  const directory = mkdtempSync(join(tmpdir(), 'holdpoint-console-'));
  const provider = upstreamUrl === undefined ? await startDemoProvider({ port: 0 }) : null;
  const policyFile = join(directory, 'policy.yaml');
  writeFileSync(policyFile, policy);
  const configFile = join(directory, 'holdpoint.yaml');
  const config = {
    proxy: { listen: '127.0.0.1:0' },
    control: { listen: '127.0.0.1:0', ...control },
    data: { dir: join(directory, 'data') },
    upstreams: { openai: { url: upstreamUrl ?? provider?.url, protocol: 'openai', mount: '/' } },
    policy: { file: policyFile },
    workload: { name: 'billing-agent' },
    log: { level: 'error' },
    ...settings,
  };
  writeFileSync(configFile, JSON.stringify(config));
  const sidecar = await startSidecar(configFile, {}, machine);
  return {
    sidecar,
    token: (name, role) =>
      addToken(join(directory, 'data', 'tokens.json'), { name, role }, systemClock.nowMs(), systemRandom),
    workload: (name = 'billing-agent') =>
      new OpenAI({
        baseURL: `${sidecar.proxyUrl}/v1`,
        apiKey: 'not-needed',
        maxRetries: 0,
        defaultHeaders: { 'holdpoint-workload': name },
      }),
    verdict: async () => {
      await sidecar.stop('test ended');
      return verifyDirectory(join(directory, 'data'), {});
    },
    close: async () => {
      await sidecar.stop('test ended');
      await provider?.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** What a model says that calls one tool. */
export const deletingRecords = {
  role: 'assistant',
  content: null,
  tool_calls: [
    {
      id: 'call_1',
      type: 'function',
      function: { name: 'delete_records', arguments: '{"customer":"1001"}' },
    },
  ],
};

/** A provider that gives one answer to everything, in the name of any model. */
export async function startFixedProvider(
  message: unknown,
  model = 'gpt-4.1',
  finishReason = 'tool_calls',
): Promise<{ url: string; close(): Promise<void> }> {
  const answer = JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model,
    choices: [{ index: 0, message, finish_reason: finishReason }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  });
  const server = createServer((req, res) => {
    req.resume();
    // The same bytes each time.
    res.sendDate = false;
    req.once('end', () => res.writeHead(200, { 'content-type': 'application/json' }).end(answer));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the provider has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

/** A wire to a server that can be cut and mended. */
export async function layWire(
  to: string,
): Promise<{ url: string; cut(): void; mend(): void; close(): void }> {
  const { hostname, port } = new URL(to);
  const ends = new Set<Socket>();
  let whole = true;
  const server = createTcpServer((near) => {
    if (!whole) {
      near.destroy();
      return;
    }
    const far = connect(Number(port), hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(one);
      one.pipe(other);
      one.once('error', () => other.destroy());
      one.once('close', () => {
        ends.delete(one);
        other.destroy();
      });
    }
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the wire has no port');
  const cut = (): void => {
    whole = false;
    for (const end of ends) end.destroy();
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    cut,
    mend: () => {
      whole = true;
    },
    close: () => {
      cut();
      server.close();
    },
  };
}

/** A call offering the tools the demonstration model knows how to use. */
export function question(prompt: string, system = ''): OpenAI.ChatCompletionCreateParamsNonStreaming {
  const text = { type: 'string' };
  const tool = (name: string, description: string, properties: Record<string, unknown>) => ({
    type: 'function' as const,
    function: { name, description, parameters: { type: 'object', properties } },
  });
  return {
    model: 'gpt-4.1',
    messages: [
      ...(system === '' ? [] : [{ role: 'system' as const, content: system }]),
      { role: 'user', content: prompt },
    ],
    tools: [
      tool('transfer_funds', 'Moves money to an account.', {
        amount: { type: 'number' },
        currency: text,
        to: text,
        reference: text,
      }),
      tool('delete_records', 'Deletes the records of a customer.', { customer: text }),
      tool('send_message', 'Sends a message to a customer.', { to: text, text }),
      tool('grant_access', 'Gives somebody a role.', { role: text }),
    ],
  };
}

/** The rule under which whatever calls a tool waits for a person. */
export const toolCallRule = {
  id: 'tool-call',
  title: 'A tool call needs a reviewer',
  phase: 'response',
  when: 'size(response.toolCalls) > 0',
  action: 'hold',
  severity: 'high',
  tests: [
    { name: 'one', expect: 'match', response: { toolCalls: [{ name: 'anything' }] } },
    { name: 'none', expect: 'no-match', response: { text: 'hello' } },
  ],
};
export const holdsToolCalls = JSON.stringify({ version: '2026-11-22', rules: [toolCallRule] });
