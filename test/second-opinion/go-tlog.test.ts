/** The Go project's packages for transparency logs read the exported tiles: note, tlog.TileHashReader, CheckRecord. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signerOf } from '../../src/ledger/checkpoint.ts';
import { signingKey } from '../fault/ledger-under-test.ts';
import { type Folder, makeFolder, sealLedger, writeTiles } from './ledgers.ts';

/** Where Debian's golang-golang-x-mod-dev puts it. */
const goPath = '/usr/share/gocode';
const isThere =
  spawnSync('go', ['version']).status === 0 && existsSync(join(goPath, 'src/golang.org/x/mod/sumdb/tlog'));
if (!isThere)
  process.stderr.write('independent reader: not tried, golang-go or golang-golang-x-mod-dev missing\n');

describe.skipIf(!isThere)('Go’s sumdb packages', () => {
  let folder: Folder;
  let program: string;
  let directory: string;
  let key: string;
  beforeAll(async () => {
    folder = makeFolder();
    program = join(folder.path, 'verify');
    const source = fileURLToPath(new URL('go/main.go', import.meta.url));
    const env = {
      ...process.env,
      GOPATH: goPath,
      GO111MODULE: 'off',
      GOCACHE: join(folder.path, 'cache'),
      GOFLAGS: '',
    };
    const built = spawnSync('go', ['build', '-o', program, source], { env, encoding: 'utf8' });
    if (built.status !== 0) throw new Error(built.stderr);
    directory = await writeTiles(await sealLedger(560), folder, 'tiles');
    const origin = readFileSync(join(directory, 'checkpoint'), 'utf8').split('\n')[0] ?? '';
    key = signerOf(origin, signingKey).verifierKey;
  }, 120_000);
  afterAll(() => folder.remove());

  const run = (verifierKey = key) => spawnSync(program, [verifierKey, directory], { encoding: 'utf8' });

  it('open the checkpoint and prove every entry and every shorter tree from the tiles', () => {
    const size = readFileSync(join(directory, 'checkpoint'), 'utf8').split('\n')[1];
    expect(Number(size)).toBeGreaterThan(512);
    expect(run()).toMatchObject({ status: 0, stdout: `verified ${size}\n` });
  });

  it.each(['checkpoint', 'tile/0/000', 'tile/0/001', 'tile/1/000.p/2', 'tile/entries/001'])(
    'refuse %s with a bit flipped',
    (name) => {
      const file = join(directory, name);
      const whole = readFileSync(file);
      const altered = Buffer.from(whole);
      altered.writeUInt8(altered.readUInt8(60) ^ 1, 60);
      writeFileSync(file, altered);
      expect(run()).toMatchObject({ status: 1, stdout: expect.stringMatching(/^refused: /) });
      writeFileSync(file, whole);
    },
  );

  it('refuse another key', () => {
    const [origin = ''] = key.split('+');
    expect(run(signerOf(`${origin}0`, signingKey).verifierKey).status).toBe(1);
  });
});
