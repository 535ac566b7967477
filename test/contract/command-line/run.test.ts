/** `holdpoint run`: what it prints, refuses, and does on signals. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { run, runSidecar } from '../support/process.ts';
import { eventually, policyText, writeHouse } from '../support/sidecar.ts';
import { type CommandScene, openCommandScene } from './scene.ts';

let scene: CommandScene;
beforeAll(async () => {
  scene = await openCommandScene();
});
afterAll(() => scene.close());

describe('run', () => {
  it('prints one line for each listener and nothing else on stdout', () => {
    expect(scene.sidecar.out()).toMatch(
      /^proxy listening on http:\/\/127\.0\.0\.1:\d+\ncontrol listening on http:\/\/127\.0\.0\.1:\d+\n$/,
    );
  });

  it.each([
    ['a wrong key', { prxy: {} }, 'prxy: is not a key here; did you mean proxy?'],
    [
      'a wrong value',
      { data: { durability: 'fast' } },
      'data.durability: is "fast"; it must be one of strict, relaxed',
    ],
  ])('with %s exits 2 and names file, line and what would be right', async (_, settings, said) => {
    const file = join(scene.directory, 'wrong.yaml');
    writeFileSync(file, JSON.stringify(settings));
    const { code, out, err } = await run(['run', '--config', file]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(new RegExp(`${file}:1:\\d+ `));
    expect(err).toContain(said);
  });

  it('with a bad policy exits 2 and names file and line', async () => {
    const policy = join(scene.directory, 'bad-policy.yaml');
    writeFileSync(policy, policyText.replace('phase: response', 'phase: respons'));
    const { code, err } = await run(['run', '--config', scene.configFile], { HOLDPOINT_POLICY_FILE: policy });
    expect(code).toBe(2);
    expect(err).toContain(`${policy}:6:`);
    expect(err).toContain('did you mean response?');
  });

  it('without its files exits 2', async () => {
    const [config, policy] = await Promise.all([
      run(['run', '--config', '/nowhere.yaml']),
      run(['run', '--config', scene.configFile], {
        HOLDPOINT_POLICY_FILE: '/nowhere.yaml',
        HOLDPOINT_DATA_DIR: join(scene.directory, 'd'),
      }),
    ]);
    expect([config.code, policy.code]).toEqual([2, 2]);
    expect(config.err).toContain('The configuration /nowhere.yaml cannot be read');
    expect(policy.err).toContain('The policy /nowhere.yaml cannot be read');
  });

  it.each(['PROXY', 'CONTROL'])(
    'with the port of %s taken exits 2 and says which setting to change',
    async (which) => {
      const taken = new URL(scene.sidecar.controlUrl).host;
      const { code, err } = await run(['run', '--config', scene.configFile], {
        HOLDPOINT_DATA_DIR: join(scene.directory, `taken-${which}`),
        [`HOLDPOINT_${which}_LISTEN`]: taken,
        HOLDPOINT_LOG_LEVEL: 'silent',
      });
      expect(code).toBe(2);
      expect(err).toContain(`Cannot listen on ${taken}`);
      expect(err).toContain(`${which.toLowerCase()}.listen`);
    },
  );

  it('on a data directory in use exits 2', async () => {
    const { code, err } = await run(['run', '--config', scene.configFile]);
    expect(code).toBe(2);
    expect(err).toContain('Another Holdpoint process uses');
  });

  it('lets a running call finish on SIGTERM, takes no new one, and exits 0', async () => {
    const slow = createServer((req, res) => {
      req.resume();
      res.writeHead(200, { 'content-type': 'application/json' });
      res.write('{"id":"x","object":"chat.completion",');
      finish = () =>
        res.end(
          '"choices":[{"index":0,"message":{"role":"assistant","content":"late"},"finish_reason":"stop"}]}',
        );
    });
    let finish: (() => void) | undefined;
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const address = slow.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const house = mkdtempSync(join(tmpdir(), 'holdpoint-drain-'));
    const files = writeHouse(house, `http://127.0.0.1:${port}`, {});
    const other = await runSidecar(files.configFile);
    const asked = fetch(`${other.proxyUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'slow' }] }),
    });
    await eventually(async () => finish);
    other.child.kill('SIGTERM');
    await eventually(async () => (await fetch(`${other.controlUrl}/readyz`)).status === 503);
    await expect(fetch(`${other.proxyUrl}/v1/models`)).rejects.toThrow();
    finish?.();
    const answer = await asked;
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('late')]);
    expect(await other.exited).toBe(0);
    slow.close();
    expect((await run(['verify', files.dataDir])).code).toBe(0);
    rmSync(house, { recursive: true });
  });

  it('opens no debugger on SIGUSR1, which would have every key for whoever is on this machine', async () => {
    scene.sidecar.child.kill('SIGUSR1');
    // Signals come one after the other: what the first did is done when the second is.
    writeFileSync(scene.policyFile, policyText.replace('version: "test"', 'version: "usr1"'));
    scene.sidecar.child.kill('SIGHUP');
    await eventually(async () => scene.sidecar.err().includes('"version":"usr1"'));
    expect(scene.sidecar.err()).not.toContain('Debugger listening');
    writeFileSync(scene.policyFile, policyText);
  });

  it('reads the policy again on SIGHUP', async () => {
    writeFileSync(scene.policyFile, policyText.replace('version: "test"', 'version: "hup"'));
    scene.sidecar.child.kill('SIGHUP');
    await eventually(async () => {
      const response = await fetch(`${scene.sidecar.controlUrl}/api/v1/policy`, {
        headers: { authorization: `Bearer ${scene.env['HOLDPOINT_TOKEN']}` },
      });
      return z.object({ version: z.literal('hup') }).safeParse(await response.json()).success;
    });
    expect(scene.sidecar.err()).toContain('"msg":"policy loaded"');
  });
});
