/** The command line as scripts rely on it, output, exit codes, messages: a running sidecar with a provider, and who asks it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { type DemoProvider, startDemoProvider } from '../../../src/demo/provider.ts';
import { type Env, type Running, run, runSidecar } from '../support/process.ts';
import { eventually, tools, writeHouse } from '../support/sidecar.ts';

export const queueSchema = z.object({
  items: z.array(z.looseObject({ id: z.string(), digest: z.string() })),
});

export interface CommandScene {
  readonly directory: string;
  readonly provider: DemoProvider;
  readonly configFile: string;
  readonly dataDir: string;
  readonly policyFile: string;
  readonly sidecar: Running;
  /** Of ada, a reviewer. */
  readonly env: Env;
  /** What `keys show` printed before the first call. */
  readonly keyBefore: string;
  /** `headers` are sent besides. */
  ask(prompt: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** The id of the hold that waits; resolves once there is one. */
  nextHold(): Promise<string>;
  newToken(name: string, role: string): Promise<string>;
  close(): Promise<void>;
}

export async function openCommandScene(): Promise<CommandScene> {
  const directory = mkdtempSync(join(tmpdir(), 'holdpoint-cli-'));
  const provider = await startDemoProvider({ port: 0 });
  const files = writeHouse(directory, provider.url, { log: { level: 'info' } });
  const { configFile } = files;
  const newToken = async (name: string, role: string): Promise<string> =>
    (await run(['token', 'new', '--config', configFile, '--name', name, '--role', role])).out.trim();
  // Made before the first start.
  const token = await newToken('ada', 'reviewer');
  const sidecar = await runSidecar(configFile);
  const keyBefore = (await run(['keys', 'show', '--config', configFile])).out;
  return {
    ...{ directory, provider, sidecar, keyBefore, newToken },
    ...{ configFile, dataDir: files.dataDir, policyFile: files.policyFile },
    env: { HOLDPOINT_URL: sidecar.controlUrl, HOLDPOINT_TOKEN: token },
    ask: (prompt, headers = {}) =>
      fetch(`${sidecar.proxyUrl}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ model: 'gpt-test', messages: [{ role: 'user', content: prompt }], tools }),
      }),
    nextHold: () =>
      eventually(async () => {
        const response = await fetch(`${sidecar.controlUrl}/api/v1/holds?state=pending`, {
          headers: { authorization: `Bearer ${token}` },
        });
        return queueSchema.parse(await response.json()).items[0]?.id;
      }),
    close: async () => {
      sidecar.child.kill('SIGTERM');
      await sidecar.exited;
      await provider.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
