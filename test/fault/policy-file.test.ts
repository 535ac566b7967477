/** A change of the policy file at the worst moment: the record says what is in force, and no change is missed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openPolicyFile } from '../../src/policy-file.ts';
import { roleBook } from '../property/hold/policies.ts';
import { textOf } from '../property/hold/policy-text.ts';
import { createScene } from '../property/hold/scene.ts';
import { waitFor } from '../support/wait-for.ts';
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
    await vi.advanceTimersByTimeAsync(2_000);
    await waitFor(() => expect(policyFile.current().version).toBe('others'));
  } finally {
    policyFile.close();
    await ledger.close('test over');
    rmSync(dir, { recursive: true });
  }
});

it('a policy that was refused and is put back as it was is said to be in force again', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'holdpoint-policy-'));
  const file = join(dir, 'policy.yaml');
  const said: string[] = [];
  const say = (message: string): number => said.push(message);
  writeFileSync(file, textOf('first'));
  const policyFile = openPolicyFile(file, roleBook.rulers, { ...silent, info: say, error: say });
  const ledger = await createLedgerUnderTest().open();
  try {
    await policyFile.attach(ledger);
    await policyFile.reload();
    for (const text of ['rules: [', textOf('first'), textOf('first')]) {
      writeFileSync(file, text);
      await policyFile.reload();
    }
    expect(said).toEqual([
      'policy refused; the old one stays in force',
      'the policy file is the one in force again',
    ]);
  } finally {
    policyFile.close();
    await ledger.close('test over');
    rmSync(dir, { recursive: true });
  }
});

describe('a policy that is written slowly, whose beginning is a policy with fewer rules,', () => {
  const whole = textOf('first');
  const beginning = whole.slice(0, whole.lastIndexOf('\n- id:') + 1);
  const rulesIn = (text: string): number => text.split('\n- id:').length - 1;

  async function follow(run: (file: string, rules: () => number) => Promise<void>): Promise<void> {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const dir = mkdtempSync(join(tmpdir(), 'holdpoint-policy-'));
    const file = join(dir, 'policy.yaml');
    writeFileSync(file, whole);
    const policyFile = openPolicyFile(file, roleBook.rulers, silent);
    const ledger = await createLedgerUnderTest().open();
    try {
      await policyFile.attach(ledger);
      await run(file, () => rulesIn(policyFile.current().source));
    } finally {
      policyFile.close();
      await ledger.close('test over');
      rmSync(dir, { recursive: true });
    }
  }

  it('is not in force before it is whole', async () => {
    expect(rulesIn(beginning)).toBeLessThan(rulesIn(whole));
    await follow(async (file, rules) => {
      writeFileSync(file, beginning);
      await vi.advanceTimersByTimeAsync(1_000);
      writeFileSync(file, `${whole}# of today\n`);
      await vi.advanceTimersByTimeAsync(1_000);
      expect(rules()).toBe(rulesIn(whole));
    });
  });

  it('is in force as far as it goes where nothing more comes', async () => {
    await follow(async (file, rules) => {
      writeFileSync(file, beginning);
      await vi.advanceTimersByTimeAsync(2_000);
      await waitFor(() => expect(rules()).toBe(rulesIn(beginning)));
    });
  });
});
