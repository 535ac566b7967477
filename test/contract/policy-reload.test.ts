/** A changed policy is taken whole or not at all, and both are sealed. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { sha256Hex } from '../../src/core/bytes.ts';
import { failingMachine } from './support/failing-machine.ts';
import { eventually, type House, policyText, startHouse } from './support/sidecar.ts';

const stricter = policyText.replace('"test"', '"stricter"').replaceAll('forbidden topic', 'garden');
const broken = policyText.replace('c.name == "transfer_funds"', 'c.name == ');
const policyEntry = z.object({
  seq: z.number(),
  type: z.literal('policy'),
  data: z.object({ digest: z.string(), result: z.string(), version: z.string() }),
});

async function policyEntries(house: House) {
  const { json } = await house.call('/api/v1/ledger/entries?limit=1000', { as: 'auditor' });
  const { items } = z.object({ items: z.array(z.unknown()) }).parse(json);
  return items.flatMap((item) => {
    const parsed = policyEntry.safeParse(item);
    return parsed.success ? [parsed.data] : [];
  });
}

async function versionOf(house: House): Promise<unknown> {
  const { json } = await house.call('/api/v1/policy');
  return z.object({ version: z.string() }).parse(json).version;
}

describe('a policy file', () => {
  let house: House;
  beforeAll(async () => {
    house = await startHouse();
  });
  afterAll(() => house.close());

  it('is sealed when the sidecar starts', async () => {
    expect((await policyEntries(house)).map(({ data }) => data)).toEqual([
      { digest: sha256Hex(policyText), result: 'loaded', version: 'test' },
    ]);
  });

  it('that changes is in force a moment later, without a signal', async () => {
    expect((await house.ask('about a garden')).status).toBe(200);
    writeFileSync(house.policyFile, stricter);
    await eventually(async () => (await versionOf(house)) === 'stricter');
    expect((await house.ask('about another garden')).status).toBe(403);
    expect((await policyEntries(house)).at(-1)?.data).toEqual({
      digest: sha256Hex(stricter),
      result: 'loaded',
      version: 'stricter',
    });
  });

  it('that does not load is refused, sealed as refused, and the old one stays in force', async () => {
    writeFileSync(house.policyFile, broken);
    await house.sidecar.reloadPolicy();
    expect(await versionOf(house)).toBe('stricter');
    expect((await house.ask('a third garden')).status).toBe(403);
    const last = (await policyEntries(house)).at(-1);
    expect(last?.data).toEqual({ digest: sha256Hex(broken), result: 'refused', version: '' });
    expect((await house.sidecar.ledger.part(last?.seq ?? 0, 'source')).toString()).toBe(broken);
  });

  it('that is refused is sealed once, however often it is looked at', async () => {
    const before = (await policyEntries(house)).length;
    await Promise.all([house.sidecar.reloadPolicy(), house.sidecar.reloadPolicy()]);
    expect(await policyEntries(house)).toHaveLength(before);
  });

  it('that was mended and broken again is sealed again', async () => {
    const before = (await policyEntries(house)).length;
    writeFileSync(house.policyFile, stricter);
    await house.sidecar.reloadPolicy();
    writeFileSync(house.policyFile, broken);
    await house.sidecar.reloadPolicy();
    expect(await policyEntries(house)).toHaveLength(before + 1);
  });

  it('that is gone leaves the old one in force', async () => {
    rmSync(house.policyFile);
    await expect(house.sidecar.reloadPolicy()).rejects.toMatchObject({ code: 'policy_invalid' });
    expect(await versionOf(house)).toBe('stricter');
  });

  it('that is changed twice at once is sealed once', async () => {
    writeFileSync(house.policyFile, policyText);
    const before = (await policyEntries(house)).length;
    await Promise.all([house.sidecar.reloadPolicy(), house.sidecar.reloadPolicy()]);
    expect(await policyEntries(house)).toHaveLength(before + 1);
  });
});

describe('a policy in a mounted ConfigMap', () => {
  it('is followed when the link behind it is swapped', async () => {
    const mount = mkdtempSync(join(tmpdir(), 'holdpoint-mount-'));
    const publish = (name: string, text: string) => {
      mkdirSync(join(mount, name));
      writeFileSync(join(mount, name, 'policy.yaml'), text);
      symlinkSync(name, join(mount, 'next'));
      renameSync(join(mount, 'next'), join(mount, '..data'));
    };
    publish('..v1', policyText);
    symlinkSync(join('..data', 'policy.yaml'), join(mount, 'policy.yaml'));
    const house = await startHouse({ settings: { policy: { file: join(mount, 'policy.yaml') } } });
    try {
      publish('..v2', stricter);
      await eventually(async () => (await versionOf(house)) === 'stricter');
    } finally {
      await house.close();
      rmSync(mount, { recursive: true });
    }
  });
});

describe('while the ledger cannot be written', () => {
  it('the sidecar is alive, not ready, and takes no policy it could not seal until it can', async () => {
    const { machine, fail } = failingMachine();
    const house = await startHouse({ machine });
    try {
      expect((await house.call('/readyz', { as: null })).json).toEqual({ status: 'ready' });
      // A token that nobody used yet would not be honoured: its grant could not be sealed.
      expect(await versionOf(house)).toBe('test');
      fail(true);
      expect((await house.ask('hello garden')).status).toBe(503);
      const ready = await house.call('/readyz', { as: null });
      expect([ready.status, ready.json]).toEqual([
        503,
        { status: 'not ready', why: 'the ledger cannot be written' },
      ]);
      expect((await house.call('/healthz', { as: null })).status).toBe(200);
      expect((await house.call('/metrics', { as: null })).text).toContain('holdpoint_ledger_writable 0');

      writeFileSync(house.policyFile, stricter);
      await expect(house.sidecar.reloadPolicy()).rejects.toMatchObject({ code: 'ledger_unavailable' });
      expect(await versionOf(house)).toBe('test');
      fail(false);
      await eventually(async () => (await house.call('/readyz', { as: null })).status === 200);
      // Nobody touches the file again.
      await eventually(async () => (await versionOf(house)) === 'stricter');
    } finally {
      await house.close();
    }
  });

  it('nobody reads a body whose reading cannot be sealed', async () => {
    const { machine, fail } = failingMachine();
    const house = await startHouse({ machine });
    try {
      const id = (await house.ask('canary-question')).headers.get('holdpoint-decision') ?? '';
      fail(true);
      const answer = await house.call(`/api/v1/decisions/${id}/body`);
      expect([answer.status, answer.json]).toMatchObject([503, { code: 'ledger_unavailable' }]);
      expect(answer.text).not.toContain('canary');
      fail(false);
    } finally {
      await house.close();
    }
  });
});
