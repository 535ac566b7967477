/** An append-only file as an anchor: what it remembers, and when it says that it could not. */
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { endAll } from '../support/endings.ts';
import { makePlace, startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { call, codesOf, eventually, metric, readText, upstreams } from './scene.ts';

let elsewhere: string;
let file: string;
beforeEach(() => {
  elsewhere = mkdtempSync(join(tmpdir(), 'holdpoint-elsewhere-'));
  file = join(elsewhere, 'volume', 'anchors');
  mkdirSync(join(elsewhere, 'volume'));
});
afterEach(async () => {
  await endAll();
  rmSync(elsewhere, { recursive: true, force: true });
});

const lag = 'holdpoint_anchor_lag_entries{anchor="vault",kind="file"}';
const failures = 'holdpoint_anchor_failures_total{anchor="vault",code="anchor_failed"}';

async function start(more: Readonly<Record<string, unknown>> = {}): Promise<TestSidecar> {
  const anchors = { everyMs: 100, to: { vault: { kind: 'file', path: file } }, ...more };
  return startTestSidecar({ upstreams: await upstreams(), anchors });
}

describe('an append-only file', () => {
  it('is given the last checkpoint, and the one over `stop` at the end', async () => {
    const sidecar = await start();
    expect(await call(sidecar.proxyUrl)).toBe(200);
    await sidecar.stop();
    const lines = readText(file).trimEnd().split('\n');
    const { size } = await verifyDirectory(sidecar.place.dataDir, {});
    expect(lines.at(-1)).toMatch(/^holdpoint-anchor-1 \d{4}-\d\d-\d\dT\S+Z [A-Za-z0-9+/]+=*$/);
    const note = Buffer.from(lines.at(-1)?.split(' ')[2] ?? '', 'base64').toString('utf8');
    expect(note.split('\n')[1]).toBe(String(size));
  });

  it('raises the verdict to ANCHORED over the whole ledger', async () => {
    const sidecar = await start();
    await call(sidecar.proxyUrl);
    await sidecar.stop();
    const { dataDir } = sidecar.place;
    const local = await verifyDirectory(dataDir, {});
    const anchored = await verifyDirectory(dataDir, { anchors: [readText(file)] });
    expect([local.assurance, local.ok]).toEqual(['LOCAL', true]);
    expect([anchored.assurance, anchored.ok]).toEqual(['ANCHORED', true]);
    expect(anchored.covered.anchoredSize).toBe(anchored.size);
  });

  it('of another ledger remembers nothing of this one', async () => {
    const sidecar = await start();
    await sidecar.stop();
    const kept = readText(file);
    rmSync(file);
    const other = await start();
    await other.stop();
    const verdict = await verifyDirectory(other.place.dataDir, { anchors: [kept] });
    expect([verdict.ok, verdict.assurance, codesOf(verdict)]).toEqual([false, 'LOCAL', ['anchor_missing']]);
  });

  it('may be shared by ledgers, and hold lines that a crash cut off', async () => {
    writeFileSync(file, 'holdpoint-anchor-1 2026-11-26T10:00:00.000Z aG9sZ');
    const sidecar = await start();
    await sidecar.stop();
    const verdict = await verifyDirectory(sidecar.place.dataDir, { anchors: [readText(file)] });
    expect([verdict.ok, verdict.assurance]).toEqual([true, 'ANCHORED']);
    expect(verdict.notes).toContain('1 lines of anchor files could not be read.');
  });

  it('by way of a symbolic link is refused, and counted', async () => {
    writeFileSync(join(elsewhere, 'target'), '');
    symlinkSync(join(elsewhere, 'target'), file);
    const sidecar = await start();
    await eventually(async () => (Number(await metric(sidecar, failures)) > 0 ? true : undefined));
    expect(await call(sidecar.proxyUrl)).toBe(200);
    expect(readText(join(elsewhere, 'target'))).toBe('');
  });

  it('that is another file stays as it is, and is counted', async () => {
    writeFileSync(file, 'version: "1"\nrules: []\n');
    const sidecar = await start();
    await eventually(async () => (Number(await metric(sidecar, failures)) > 0 ? true : undefined));
    await sidecar.stop();
    expect(readText(file)).toBe('version: "1"\nrules: []\n');
  });

  it('that was away is caught up with when it is back', async () => {
    renameSync(join(elsewhere, 'volume'), join(elsewhere, 'away'));
    const sidecar = await start();
    await call(sidecar.proxyUrl);
    await eventually(async () => (Number(await metric(sidecar, failures)) > 0 ? true : undefined));
    renameSync(join(elsewhere, 'away'), join(elsewhere, 'volume'));
    await eventually(async () => ((await metric(sidecar, lag)) === '0' ? true : undefined));
    await sidecar.stop();
    const verdict = await verifyDirectory(sidecar.place.dataDir, { anchors: [readText(file)] });
    expect(verdict.assurance).toBe('ANCHORED');
  });
});

describe('require: anchored', () => {
  const required = { require: 'anchored', withinMs: 1_000 };

  it('takes calls while the anchor keeps up', async () => {
    const sidecar = await start(required);
    await eventually(async () => ((await call(sidecar.proxyUrl)) === 200 ? true : undefined));
    expect((await fetch(`${sidecar.controlUrl}/readyz`)).status).toBe(200);
  });

  it('refuses calls with ledger_unavailable once the anchor lags, and takes them when it caught up', async () => {
    const sidecar = await start(required);
    await eventually(async () => ((await call(sidecar.proxyUrl)) === 200 ? true : undefined));
    renameSync(join(elsewhere, 'volume'), join(elsewhere, 'away'));
    await eventually(async () => ((await call(sidecar.proxyUrl)) === 503 ? true : undefined));
    const refused = await fetch(`${sidecar.proxyUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"model":"demo","messages":[{"role":"user","content":"x"}]}',
    });
    expect(await refused.text()).toContain('ledger_unavailable');
    expect((await fetch(`${sidecar.controlUrl}/readyz`)).status).toBe(503);
    renameSync(join(elsewhere, 'away'), join(elsewhere, 'volume'));
    await eventually(async () => ((await call(sidecar.proxyUrl)) === 200 ? true : undefined));
  });

  it('takes no call before the first anchor acknowledged anything', async () => {
    renameSync(join(elsewhere, 'volume'), join(elsewhere, 'away'));
    const sidecar = await start(required);
    expect(await call(sidecar.proxyUrl)).toBe(503);
    expect(await metric(sidecar, 'holdpoint_anchor_lag_seconds{anchor="vault",kind="file"}')).toBe('+Inf');
  });
});

describe('without require', () => {
  it('a call is answered while no anchor works', async () => {
    rmSync(join(elsewhere, 'volume'), { recursive: true });
    const sidecar = await start();
    expect(await call(sidecar.proxyUrl)).toBe(200);
    expect((await fetch(`${sidecar.controlUrl}/readyz`)).status).toBe(200);
  });
});

describe('the anchors’ own memory', () => {
  it('outlives the process, and a ledger that was put back contradicts it', async () => {
    const settings = {
      upstreams: await upstreams(),
      anchors: { everyMs: 100, to: { vault: { kind: 'file', path: file } } },
    };
    const place = makePlace(settings);
    const first = await startTestSidecar(settings, place);
    await first.stop();
    const memory = join(place.dataDir, 'anchors', 'acknowledged.json');
    const remembered: { anchors: { vault: { size: number } } } = JSON.parse(readFileSync(memory, 'utf8'));
    remembered.anchors.vault.size += 1_000;
    writeFileSync(memory, JSON.stringify(remembered));
    const second = await startTestSidecar(settings, place);
    const contradictions = 'holdpoint_anchor_failures_total{anchor="vault",code="anchor_contradicts"}';
    await eventually(async () => (Number(await metric(second, contradictions)) > 0 ? true : undefined));
  });
});
