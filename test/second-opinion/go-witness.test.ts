/** A witness made of the Go project's packages cosigns our checkpoints, and those packages open what ours cosigned. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Checkpoint, latestCheckpoint } from '../../src/anchor/anchor.ts';
import { openWitnessAnchor } from '../../src/anchor/witness-client.ts';
import { noProxy } from '../../src/core/egress.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { parseWitnessKey } from '../../src/ledger/verify/cosignature.ts';
import { verifyLedger } from '../../src/ledger/verify/verify.ts';
import { bodyOf, makeLog, makeWitnessPlace, witnessSeconds } from '../anchor/witness-scene.ts';
import { createLedgerUnderTest, exchange, type LedgerUnderTest } from '../fault/ledger-under-test.ts';

/** Where Debian's golang-golang-x-mod-dev puts it. */
const goPath = '/usr/share/gocode';
const isThere =
  spawnSync('go', ['version']).status === 0 && existsSync(join(goPath, 'src/golang.org/x/mod/sumdb/tlog'));
if (!isThere)
  process.stderr.write('independent witness: not tried, golang-go or golang-golang-x-mod-dev missing\n');

describe.skipIf(!isThere)('Go’s sumdb packages', () => {
  let folder: string;
  let program: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdpoint-go-witness-'));
    program = join(folder, 'witness');
    const source = fileURLToPath(new URL('go/witness/main.go', import.meta.url));
    const env = {
      ...process.env,
      GOPATH: goPath,
      GO111MODULE: 'off',
      GOCACHE: join(folder, 'cache'),
      GOFLAGS: '',
    };
    const built = spawnSync('go', ['build', '-o', program, source], { env, encoding: 'utf8' });
    if (built.status !== 0) throw new Error(built.stderr);
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  describe('as a witness', () => {
    let house: LedgerUnderTest;
    let ledger: Ledger;
    let child: ChildProcess;
    let url: string;
    let key: string;
    beforeEach(async () => {
      house = createLedgerUnderTest();
      ledger = await house.open();
      child = spawn(program, [ledger.verifierKey, 'go.example/w', 'seed'], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const line = await new Promise<string>((resolve) =>
        child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString('utf8'))),
      );
      [url = '', key = ''] = line.trim().split(' ');
    });
    afterEach(async () => {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.stdin?.end();
      await exited;
    });

    const now = (): Checkpoint => {
      const checkpoint = latestCheckpoint(ledger);
      if (checkpoint === null) throw new Error('nothing is durable');
      return checkpoint;
    };

    it('takes our proofs at every size, and its cosignature is worth WITNESSED(1)', async () => {
      const parsed = parseWitnessKey(key);
      if ('code' in parsed) throw new Error(parsed.message);
      const anchor = openWitnessAnchor({ name: 'go', url, key: parsed, tree: ledger.tree, egress: noProxy });
      const signal = new AbortController().signal;
      let from = 0;
      let kept = '';
      for (let round = 0; round < 20; round += 1) {
        const checkpoint = now();
        kept = (await anchor.send(checkpoint, from, signal)).files[0]?.bytes.toString('utf8') ?? '';
        from = checkpoint.size;
        await exchange(ledger, () => undefined);
      }
      // From a size it no longer has, by way of its 409.
      await anchor.send(now(), 1, signal);
      const early = { ...now(), size: 3 };
      await expect(anchor.send(early, 3, signal)).rejects.toMatchObject({ code: 'anchor_contradicts' });
      await ledger.close('done');
      const verdict = await verifyLedger(house.disk.source(), { cosigned: [kept], witnesses: [key] });
      expect([verdict.ok, verdict.assurance]).toEqual([true, 'WITNESSED(1)']);
    });
  });

  it('open what our witness cosigned, and refuse it with a bit flipped', async () => {
    const log = makeLog();
    const place = makeWitnessPlace();
    try {
      const witness = place.open([log.key]);
      const { body } = await witness.addCheckpoint(bodyOf(0, [], log.note(11)));
      const cosigned = Buffer.concat([log.note(11), Buffer.from(body)]);
      const run = (input: Buffer) =>
        spawnSync(program, ['check', witness.verifierKey, log.signer.verifierKey], {
          input,
          encoding: 'utf8',
        });
      expect(run(cosigned)).toMatchObject({ status: 0, stdout: `cosigned 11 at ${witnessSeconds}\n` });
      const altered = Buffer.from(cosigned);
      altered.writeUInt8(altered.readUInt8(altered.length - 20) ^ 1, altered.length - 20);
      expect(run(altered)).toMatchObject({ status: 1, stdout: expect.stringMatching(/^refused: /) });
    } finally {
      place.remove();
    }
  });
});
