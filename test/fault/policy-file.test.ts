/** A change of the policy file at the worst moment: the record says what is in force, and no change is missed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { openPolicyFile } from '../../src/policy-file.ts';
import { roleBook } from '../property/hold/policies.ts';
import { textOf } from '../property/hold/policy-text.ts';
import { createScene } from '../property/hold/scene.ts';
import { createLedgerUnderTest } from './ledger-under-test.ts';

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
afterEach(() => {
  vi.useRealTimers();
});

it('a policy of which nobody can tell whether it is sealed is not the last one sealed once the file is as it was', async () => {
  const scene = await createScene();
  scene.failDisk('after');
  scene.changeRules('denying', 'told');
  await scene.advance(1);
  await scene.mendDisk();
  scene.rules.write('first');
  await scene.advance(5_000);
  await scene.advance(1_000);
  const sealed = scene.house.entries().filter(({ type }) => type === 'policy');
  expect(sealed.map(({ data }) => data['version'])).toEqual(['first', 'denying', 'first']);
  expect(scene.process().policyFile.current().version).toBe('first');
  await scene.end();
});

it('a change that comes while the file is read for the first time is in force a moment later', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const dir = mkdtempSync(join(tmpdir(), 'holdpoint-policy-'));
  const file = join(dir, 'policy.yaml');
  writeFileSync(file, textOf('first'));
  // Asked for once the file was read.
  const rulers = Object.assign([...roleBook.rulers], {
    *[Symbol.iterator]() {
      writeFileSync(file, textOf('others'));
      yield* roleBook.rulers;
    },
  });
  const policyFile = openPolicyFile(file, rulers, silent);
  const ledger = await createLedgerUnderTest().open();
  try {
    await policyFile.attach(ledger);
    expect(policyFile.current().version).toBe('first');
    await vi.advanceTimersByTimeAsync(1_000);
    await vi.waitFor(() => expect(policyFile.current().version).toBe('others'));
  } finally {
    policyFile.close();
    await ledger.close('test over');
    rmSync(dir, { recursive: true });
  }
});
