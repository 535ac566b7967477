/** The examples that need no network run as they stand in EXAMPLES.md. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { readText, startHouse } from '../contract/support/sidecar.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

it('LangChain in TypeScript is answered through the sidecar, which knows who asked', async () => {
  const house = await startHouse();
  try {
    const text = readText(`${root}src/client/EXAMPLES.md`);
    const example = /```ts\n([\s\S]+?)```/.exec(text)?.[1] ?? '';
    // Before a build there is no dist for the package's own name to lead to.
    const source = example.replace("'holdpoint/client'", `'${root}src/client/index.ts'`);
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-'], {
      cwd: root,
      env: {
        PATH: process.env['PATH'] ?? '',
        OPENAI_API_KEY: 'sk-test',
        OPENAI_BASE_URL: `${house.sidecar.proxyUrl}/v1`,
      },
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    child.stdin.end(source);
    await once(child, 'close');
    expect([child.exitCode, err]).toEqual([0, '']);
    expect(out.trim()).not.toBe('');
    const { json } = await house.call('/api/v1/decisions?limit=1');
    const page = z.object({ items: z.array(z.looseObject({ workload: z.string(), session: z.string() })) });
    expect(page.parse(json).items).toMatchObject([{ workload: 'billing-agent', session: 'run-7' }]);
  } finally {
    await house.close();
  }
});
