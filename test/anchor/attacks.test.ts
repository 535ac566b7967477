/**
 * What nobody can see without outside memory, on real ledgers: a fork, a rollback by someone who also controls the
 * high-water mark, re-signing with a stolen key. Each passes as LOCAL, and fails once somebody outside remembers.
 */
import { spawnSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cosignerOf } from '../../src/anchor/cosign.ts';
import { decodeBlock, encodeBlock, parseRecordKey } from '../../src/ledger/block.ts';
import { canonicalize } from '../../src/ledger/canonical.ts';
import { type LocalSigner, signCheckpoint, signerOf } from '../../src/ledger/checkpoint.ts';
import { decodeLeaf } from '../../src/ledger/entry.ts';
import { appendLeaf, emptyTree, leafHash, treeRoot } from '../../src/ledger/tree.ts';
import { type Verdict, verifyLedger } from '../../src/ledger/verify/verify.ts';
import { startSidecar } from '../../src/sidecar.ts';
import { openLedgerCopy } from '../../src/store/ledger-copy.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { endAll } from '../support/endings.ts';
import { highWaterLine, type LedgerRecord } from '../support/ledger-builder.ts';
import { sourceOf } from '../support/ledger-tampering.ts';
import { makePlace, type Place, type Settings, startTestSidecar } from '../support/sidecar.ts';
import { call, codesOf, readText, upstreams } from './scene.ts';
import { newKey } from './witness-scene.ts';

let elsewhere: string;
let place: Place;
/** The data directory as it was half-way, keys and high-water mark included. */
let earlier: string;
/** What outside remembers: the append-only file, and what the witness answers and is. */
let file: string;
let witnessKey: string;
let witnessUrl: string;
let latest: string;
let logKey: string;

/** Two sidecars; the second is a witness for the first. The first is called, stopped, copied, called and stopped. */
beforeAll(async () => {
  elsewhere = mkdtempSync(join(tmpdir(), 'holdpoint-elsewhere-'));
  file = join(elsewhere, 'anchors');
  const plain: Settings = { upstreams: await upstreams() };
  place = makePlace(plain);
  const before = await startTestSidecar(plain, place);
  logKey = before.sidecar.ledger.verifierKey;
  const originHash = Buffer.from(
    await crypto.subtle.digest('SHA-256', Buffer.from(before.sidecar.ledger.origin)),
  ).toString('hex');
  await before.stop();
  const witness = await startTestSidecar({
    ...plain,
    witness: { listen: '127.0.0.1:0', name: 'witness.example/w1', peers: [logKey] },
  });
  witnessKey = witness.sidecar.witness.witnessKey ?? '';
  const url = witness.sidecar.witness.witnessUrl ?? '';
  witnessUrl = url;
  configure(place, {
    anchors: {
      everyMs: 100,
      to: { vault: { kind: 'file', path: file }, peer: { kind: 'witness', url, key: witnessKey } },
    },
  });
  const first = await startTestSidecar(plain, place);
  expect(await call(first.proxyUrl, 'one')).toBe(200);
  await first.stop();
  earlier = join(elsewhere, 'earlier');
  cpSync(place.dataDir, earlier, { recursive: true });
  const second = await startTestSidecar(plain, place);
  expect(await call(second.proxyUrl, 'two')).toBe(200);
  await second.stop();
  latest = await (await fetch(`${url}/${originHash}/checkpoint`)).text();
}, 60_000);
afterAll(async () => {
  await endAll();
  rmSync(elsewhere, { recursive: true, force: true });
});

function configure(where: Place, settings: Readonly<Record<string, unknown>>): void {
  const config: unknown = JSON.parse(readFileSync(where.configFile, 'utf8'));
  writeFileSync(where.configFile, JSON.stringify({ ...Object(config), ...settings }));
}

const kept = (name: string, text: string): string => {
  const path = join(elsewhere, name);
  writeFileSync(path, text);
  return path;
};

interface Judged {
  readonly assurance: Verdict['assurance'];
  readonly codes: readonly string[];
}

const judged = (verdict: Verdict): Judged => ({ assurance: verdict.assurance, codes: codesOf(verdict) });

/** The verdicts on a data directory by what the auditor brings. */
async function verdictsOn(dataDir: string) {
  const trust = kept('trust', `${logKey}\n`);
  const checkpoint = kept('latest.note', latest);
  const witnesses = [witnessKey];
  return {
    local: judged(await verifyDirectory(dataDir, { trust })),
    checkpoint: judged(await verifyDirectory(dataDir, { trust, checkpoint })),
    witnessed: judged(await verifyDirectory(dataDir, { trust, checkpoint, witnesses })),
    anchored: judged(await verifyDirectory(dataDir, { trust, anchors: [readText(file)] })),
    witnessAlone: judged(await verifyDirectory(dataDir, { trust, witnesses })),
  };
}

const passesAsLocal: Judged = { assurance: 'LOCAL', codes: [] };

/** Takes away what the anchors left beside the ledger: the attacker's copy need not have it. */
function withoutAnchors(dataDir: string): string {
  rmSync(join(dataDir, 'anchors'), { recursive: true });
  return dataDir;
}

/** Goes on from the earlier state with the stolen keys, as the sidecar itself does. */
async function fork(dataDir: string): Promise<string> {
  cpSync(earlier, dataDir, { recursive: true });
  withoutAnchors(dataDir);
  const configFile = kept('fork.yaml', readText(place.configFile));
  const config: unknown = JSON.parse(readText(configFile));
  writeFileSync(
    configFile,
    JSON.stringify({ ...Object(config), data: { dir: dataDir }, anchors: { to: {} } }),
  );
  const sidecar = await startSidecar(configFile, {});
  try {
    for (let i = 0; i < 8; i += 1) expect(await call(sidecar.proxyUrl, `another history ${i}`)).toBe(200);
  } finally {
    await sidecar.stop('forked');
  }
  return dataDir;
}

describe('the ledger itself', () => {
  it('verifies by everything that outside remembers', async () => {
    const verdicts = await verdictsOn(place.dataDir);
    expect(verdicts).toEqual({
      local: passesAsLocal,
      checkpoint: { assurance: 'ANCHORED', codes: [] },
      witnessed: { assurance: 'WITNESSED(1)', codes: [] },
      anchored: { assurance: 'ANCHORED', codes: [] },
      witnessAlone: { assurance: 'WITNESSED(1)', codes: [] },
    });
  });

  it('is covered to its end', async () => {
    const verdict = await verifyDirectory(place.dataDir, {
      witnesses: [witnessKey],
      anchors: [readText(file)],
    });
    expect(verdict.covered).toEqual({
      anchoredSize: verdict.size,
      witnesses: [{ name: 'witness.example/w1', size: verdict.size, at: expect.stringMatching(/^20/) }],
    });
  });

  it('carries cosignatures in its entries too, for who has an export alone', async () => {
    const verdict = await verifyRecords(await recordsOf(place.dataDir), { witnesses: [witnessKey] });
    expect(judged(verdict)).toEqual({ assurance: 'WITNESSED(1)', codes: [] });
  });

  it('counts one witness once, however often its key is given', async () => {
    const verdict = await verifyDirectory(place.dataDir, { witnesses: [witnessKey, witnessKey] });
    expect(verdict.assurance).toBe('WITNESSED(1)');
  });

  it('is not witnessed by who did not cosign it', async () => {
    const stranger = `${witnessKey.split('+')[0]}x`;
    const key = cosignerOf(stranger, newKey()).verifierKey;
    const verdict = await verifyDirectory(place.dataDir, { witnesses: [key] });
    expect(judged(verdict)).toEqual({ assurance: 'LOCAL', codes: ['witness_missing'] });
  });

  it('with an altered cosignature beside it says so', async () => {
    const dataDir = join(elsewhere, 'altered');
    cpSync(place.dataDir, dataDir, { recursive: true });
    const note = join(dataDir, 'anchors', 'peer.checkpoint');
    const bytes = readFileSync(note);
    const lines = bytes.toString('utf8').split('\n');
    const [mark, name, encoded = ''] = (lines.at(-2) ?? '').split(' ');
    const signature = Buffer.from(encoded, 'base64');
    signature.writeUInt8(signature.readUInt8(40) ^ 1, 40);
    lines[lines.length - 2] = `${mark} ${name} ${signature.toString('base64')}`;
    writeFileSync(note, lines.join('\n'));
    const verdict = await verifyDirectory(dataDir, { witnesses: [witnessKey] });
    expect(codesOf(verdict)).toEqual(['cosignature_invalid']);
  });
});

describe('a rollback by someone who also controls the high-water mark', () => {
  it('passes as LOCAL, and fails by what outside remembers', async () => {
    const verdicts = await verdictsOn(earlier);
    expect(verdicts.local).toEqual(passesAsLocal);
    expect(verdicts.checkpoint).toEqual({ assurance: 'LOCAL', codes: ['truncated_by_checkpoint'] });
    expect(verdicts.anchored.codes).toEqual(['truncated_by_anchor']);
    expect(verdicts.witnessed.codes).toEqual(['truncated_by_checkpoint', 'truncated_by_witness']);
  });

  it('is not excluded by old cosignatures alone, and the verdict says so', async () => {
    const verdict = await verifyDirectory(earlier, { witnesses: [witnessKey] });
    expect(judged(verdict)).toEqual({ assurance: 'WITNESSED(1)', codes: [] });
    expect(verdict.notes.join(' ')).toContain('do not exclude a rollback');
  });

  it('is noticed by the sidecar itself: its witness remembers more', async () => {
    const dataDir = join(elsewhere, 'rolled');
    cpSync(earlier, dataDir, { recursive: true });
    // It must not reach the append-only file, which would remember what it became as well.
    const anchors = { everyMs: 100, to: { peer: { kind: 'witness', url: witnessUrl, key: witnessKey } } };
    const configFile = kept('rolled.yaml', readText(place.configFile));
    const config: unknown = JSON.parse(readText(configFile));
    writeFileSync(configFile, JSON.stringify({ ...Object(config), data: { dir: dataDir }, anchors }));
    const sidecar = await startSidecar(configFile, {});
    const series = 'holdpoint_anchor_failures_total{anchor="peer",code="anchor_contradicts"}';
    try {
      const seen = async (): Promise<string> => (await fetch(`${sidecar.controlUrl}/metrics`)).text();
      await expect.poll(seen, { timeout: 10_000 }).toMatch(new RegExp(`^${escaped(series)} [1-9]`, 'm'));
    } finally {
      await sidecar.stop('rolled back');
    }
  });
});

const escaped = (text: string): string => text.replace(/[{}]/g, '\\$&');

describe('a fork under the same key', () => {
  let forked: string;
  beforeAll(async () => {
    forked = await fork(join(elsewhere, 'forked'));
  }, 30_000);

  it('passes as LOCAL, and fails by what outside remembers', async () => {
    const verdicts = await verdictsOn(forked);
    expect(verdicts.local).toEqual(passesAsLocal);
    expect(verdicts.checkpoint).toEqual({ assurance: 'LOCAL', codes: ['checkpoint_not_in_ledger'] });
    expect(verdicts.anchored.codes).toEqual(['anchored_other_history']);
    expect(verdicts.witnessed.codes).toEqual(['checkpoint_not_in_ledger', 'witnessed_other_history']);
  });

  it('claims no more than the part before it, by the cosignatures in its entries', async () => {
    const verdict = await verifyDirectory(forked, { witnesses: [witnessKey] });
    const [witness] = verdict.covered.witnesses;
    expect(verdict.assurance).toBe('WITNESSED(1)');
    expect(witness?.size ?? verdict.size).toBeLessThan((await verifyDirectory(earlier, {})).size);
    expect(verdict.notes.join(' ')).toContain(
      `cosigned the first ${witness?.size} of ${verdict.size} entries`,
    );
  });
});

describe('re-signing with a stolen key', () => {
  it('passes as LOCAL, and fails by what outside remembers', async () => {
    const records = resigned(await recordsOf(place.dataDir), signerFor(place.dataDir));
    const trustedKeys = [logKey];
    const local = await verifyRecords(records, { trustedKeys });
    expect(judged(local)).toEqual(passesAsLocal);
    const by = async (more: Parameters<typeof verifyLedger>[1]) =>
      codesOf(await verifyRecords(records, { trustedKeys, ...more }));
    expect(await by({ checkpoint: latest })).toEqual(['checkpoint_not_in_ledger']);
    expect(await by({ anchors: [readText(file)] })).toEqual(['anchored_other_history']);
    expect(await by({ cosigned: [latest], witnesses: [witnessKey] })).toEqual(['witnessed_other_history']);
    // With nothing left beside it, no witness speaks for it.
    expect(await by({ witnesses: [witnessKey] })).toEqual(['witness_missing']);
  });

  it('that leaves the anchor entries as they were contradicts itself', async () => {
    const records = resigned(await recordsOf(place.dataDir), signerFor(place.dataDir), false);
    const verdict = await verifyRecords(records, { trustedKeys: [logKey] });
    expect(new Set(codesOf(verdict))).toEqual(new Set(['anchor_mismatch']));
  });
});

async function recordsOf(dataDir: string): Promise<readonly LedgerRecord[]> {
  const store = await openLedgerCopy(join(dataDir, 'ledger'));
  const records: LedgerRecord[] = [];
  try {
    for await (const record of store.scan({})) records.push(record);
  } finally {
    await store.close();
  }
  return records;
}

function signerFor(dataDir: string): LocalSigner {
  const [origin = ''] = logKey.split('+');
  return signerOf(origin, createPrivateKey(readText(join(dataDir, 'keys', 'signing.pem'))));
}

/** Verifies with a high-water mark that agrees: whoever re-signs writes it too. */
async function verifyRecords(
  records: readonly LedgerRecord[],
  options: Parameters<typeof verifyLedger>[1],
): Promise<Verdict> {
  const { size, root } = await verifyLedger(sourceOf(records));
  return verifyLedger(sourceOf(records), {
    highWater: highWaterLine(size, Buffer.from(root, 'base64')),
    ...options,
  });
}

/** Another name of the workload in every request, and everything after it hashed and signed anew. */
function resigned(
  records: readonly LedgerRecord[],
  signer: LocalSigner,
  withAnchors = true,
): readonly LedgerRecord[] {
  let tree = emptyTree;
  let prev = '0'.repeat(64);
  const roots = new Map<number, string>();
  return records.map((record) => {
    if (parseRecordKey(Buffer.from(record.key))?.kind !== 'block') return record;
    const leaves = decodeBlock(Buffer.from(record.value)).leaves.map((leaf) => {
      const entry = decodeLeaf(leaf);
      const size = entry.data['size'];
      const data =
        entry.type === 'request'
          ? { ...entry.data, workload: 'somebody else' }
          : entry.type === 'anchor' && withAnchors && typeof size === 'number'
            ? { ...entry.data, receipt: '', root: roots.get(size) ?? '' }
            : entry.data;
      const { at, boot, durability, kid, ledger, mono, parts, refs, seq, type, v } = entry;
      const fields = { at, boot, data, durability, kid, ledger, mono, prev, refs: [...refs], seq, type, v };
      const commitments = parts.map(({ c, e, name, size: bytes }) => ({ c, e, name, size: bytes }));
      const rewritten = Buffer.from(canonicalize({ ...fields, parts: commitments }));
      const hash = leafHash(rewritten);
      prev = hash.toString('hex');
      tree = appendLeaf(tree, hash);
      return rewritten;
    });
    const root = treeRoot(tree);
    roots.set(tree.size, root.toString('hex'));
    return { key: record.key, value: encodeBlock(leaves, signCheckpoint(signer, tree.size, root)) };
  });
}

describe('holdpoint verify', () => {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [main, 'verify', ...args], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] },
    });

  it('takes keys of witnesses and anchor files, and says how far each reaches', () => {
    const { status, stdout } = run(
      place.dataDir,
      '--witness',
      kept('keys', `${witnessKey}\n`),
      '--anchor',
      file,
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/^INTACT .* assurance WITNESSED\(1\)/);
    expect(stdout).toMatch(/witness\.example\/w1 cosigned the first \d+ of \d+ entries at 20/);
  });

  it('ends with 1 and the reason for what an anchor contradicts', () => {
    const { status, stdout } = run(earlier, '--anchor', file);
    expect([status, stdout]).toEqual([1, expect.stringMatching(/^FAIL truncated_by_anchor at entry \d+: /m)]);
  });

  it('refuses the key of a log where that of a witness is due', () => {
    const { status, stderr } = run(earlier, '--witness', logKey);
    expect([status, stderr]).toEqual([2, expect.stringContaining('not of type Ed25519 cosignature (0x04)')]);
  });
});

describe('the files beside the ledger', () => {
  it('are a note that its own tools read, with the cosignature on it', () => {
    const names = readdirSync(join(place.dataDir, 'anchors')).sort();
    expect(names).toEqual(['acknowledged.json', 'peer.checkpoint', 'vault.checkpoint']);
    expect(readText(join(place.dataDir, 'anchors', 'peer.checkpoint'))).toContain(
      '\u2014 witness.example/w1 ',
    );
  });
});
