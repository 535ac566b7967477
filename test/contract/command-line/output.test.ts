/** What a command does where nobody takes its output, and with an answer that it cannot read. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PlayedSidecar, playSidecar } from '../../support/played-sidecar.ts';
import { mainFile, run } from '../support/process.ts';
import { eventually } from '../support/sidecar.ts';
import { type CommandScene, openCommandScene } from './scene.ts';

let scene: CommandScene;
beforeAll(async () => {
  scene = await openCommandScene();
});
afterAll(() => scene.close());

describe.runIf(existsSync('/dev/full'))('on a full disk', () => {
  function writing(args: readonly string[]): { readonly child: ChildProcess; err(): string } {
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [mainFile, ...args], {
      env: { PATH: process.env['PATH'] ?? '', ...scene.env },
      stdio: ['ignore', full, 'pipe'],
    });
    closeSync(full);
    let err = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    return { child, err: () => err };
  }

  it('a command says that its output is not whole, and that is no finding', async () => {
    const { child, err } = writing(['verify', scene.dataDir]);
    expect((await once(child, 'close'))[0]).toBe(2);
    expect(err()).toBe(
      'holdpoint: The output cannot be written: no space left on device (ENOSPC). What is there of it is not whole.\n',
    );
  });

  it('the sidecar starts all the same, and stops as ever', async () => {
    scene.sidecar.child.kill('SIGTERM');
    await scene.sidecar.exited;
    const again = writing(['run', '--config', scene.configFile]);
    await eventually(async () => again.err().includes('"msg":"ready"'));
    again.child.kill('SIGTERM');
    expect((await once(again.child, 'close'))[0]).toBe(0);
  });
});

describe('an answer that cannot be read', () => {
  let sidecar: PlayedSidecar;
  beforeAll(async () => {
    sidecar = await playSidecar(
      (_, res) => void res.setHeader('content-type', 'application/json').end('{"items":[{}]}'),
    );
  });
  afterAll(() => sidecar.close());

  it.each([[['holds']], [['erase', 'list']], [['holds', 'release', 'h-1', '--digest', '0'.repeat(64)]]])(
    'after %j is named in words, and what to do: exit 3',
    async (args) => {
      const { code, out, err } = await run(args, sidecar.env);
      expect([code, out]).toEqual([3, '']);
      expect(err).toMatch(
        /^holdpoint: The answer is not one that holdpoint\/\S+ knows: [^;]*is missing\. What was asked may have been carried out\.\n/,
      );
      expect(err).toContain('of the same version as the sidecar');
      expect(err).not.toMatch(/^\s+at /m);
    },
  );
});
