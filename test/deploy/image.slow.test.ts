/**
 * The image, built and started for real. What this cannot show without a container engine: the seccomp
 * profile, memory and CPU limits, the engine's own reading of HEALTHCHECK, VOLUME and STOPSIGNAL, and the
 * official node:24-slim, for which a base of the same Debian and Node stands in.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StatefulSet } from 'kubernetes-models/apps/v1';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Boot,
  boot,
  buildah,
  buildImage,
  developmentPackages,
  type Image,
  makeBase,
  run,
  whyNot,
} from './image.ts';
import { manifestsDir, only, readObjects } from './manifests.ts';

const reason = whyNot();
const required = process.env.TEST_REQUIRE_IMAGE === '1';

if (reason !== '') {
  // Not every machine can build images; a run that must says so, and then this fails.
  test.runIf(required)(`the image can be built here: ${reason}`, () => {
    throw new Error(`TEST_REQUIRE_IMAGE=1, but: ${reason}`);
  });
}

/** The probes' paths and the directories of the sidecar, from the manifest that a cluster gets. */
function sidecarOfManifest(): { paths: string[]; configDir: string; keysDir: string } {
  const [sidecar] = only(readObjects(false), StatefulSet.is).spec?.template.spec?.initContainers ?? [];
  const probes = [sidecar?.startupProbe, sidecar?.readinessProbe, sidecar?.livenessProbe];
  const mounts = new Map(sidecar?.volumeMounts?.map((mount) => [mount.name, mount.mountPath]));
  return {
    paths: [...new Set(probes.map((probe) => probe?.httpGet?.path ?? ''))],
    configDir: mounts.get('holdpoint-config') ?? '',
    keysDir: mounts.get('holdpoint-keys') ?? '',
  };
}

/** The keys as the Secret mounts them: owned by root, readable by the group alone. */
function writeKeys(dir: string, groupId: number): void {
  mkdirSync(dir, { mode: 0o755 });
  const { privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(join(dir, 'signing.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), {
    mode: 0o440,
  });
  writeFileSync(join(dir, 'kek.key'), randomBytes(32).toString('base64'), { mode: 0o440 });
  for (const name of ['signing.pem', 'kek.key']) chownSync(join(dir, name), 0, groupId);
}

describe.runIf(reason === '')('the image', () => {
  const manifest = sidecarOfManifest();
  let workDir: string;
  let image: Image;
  let plain: Boot;
  let inPod: Boot;

  beforeAll(() => {
    workDir = mkdtempSync(join(tmpdir(), 'holdpoint-image-'));
    makeBase(workDir);
    image = buildImage(workDir);
    process.stdout.write(`image size: ${Math.round(image.bytes / 1_000_000)} MB unpacked, base included\n`);
    plain = boot(image, manifest.paths);
    const keys = join(workDir, 'keys');
    writeKeys(keys, 65532);
    const config = join(workDir, 'config');
    cpSync(join(manifestsDir, 'config'), config, { recursive: true });
    inPod = boot(image, manifest.paths, { [manifest.configDir]: config, [manifest.keysDir]: keys });
  }, 1_800_000);

  afterAll(() => {
    buildah(workDir, 'rm', '--all');
    rmSync(workDir, { recursive: true });
  }, 120_000);

  test('declares a numeric user that is not root, SIGTERM, /data and its labels', () => {
    expect(image.config).toMatchObject({
      User: '65532:65532',
      StopSignal: 'SIGTERM',
      Volumes: { '/data': expect.anything() },
      Labels: { 'org.opencontainers.image.licenses': 'Apache-2.0' },
    });
    expect(image.config.Healthcheck.Test[0]).toBe('CMD');
  });

  test('has a /data that its user owns and nobody else can read', () => {
    const { uid, gid, mode } = statSync(join(image.root, 'data'));
    expect({ uid, gid, mode: mode & 0o7777 }).toEqual({ uid: 65532, gid: 65532, mode: 0o700 });
  });

  test('has no package that only development needs', () => {
    const candidates = developmentPackages();
    expect(candidates).toContain('node_modules/node');
    expect(candidates).toContain('node_modules/typescript');
    expect(candidates.filter((path) => existsSync(join(image.root, 'app', path)))).toEqual([]);
    expect(existsSync(join(image.root, 'app/node_modules/level'))).toBe(true);
  });

  test('has neither sources, tests nor a package manager', () => {
    const unwanted = ['app/src', 'app/test', 'app/.git', 'app/package-lock.json', 'usr/local/bin/npm'];
    expect(unwanted.filter((path) => existsSync(join(image.root, path)))).toEqual([]);
  });

  test('has no file of its own that its user could change', () => {
    const places = ['app', 'etc/holdpoint'].map((path) => join(image.root, path));
    const conditions = ['(', '-uid', '65532', '-o', '-perm', '-o+w', ')', '!', '-type', 'l'];
    expect(run('find', [...places, ...conditions])).toBe('');
  });

  test('starts on a read-only root, without a capability, and its health check passes', () => {
    expect(plain).toMatchObject({
      health: '0',
      uid: '65532',
      capabilities: '0000000000000000',
      noNewPrivileges: '1',
    });
  });

  test('can write to /data and nowhere else', () => {
    const wrote = Object.entries(plain).filter(([name]) => name.startsWith('wrote/'));
    expect(wrote.filter(([, answer]) => answer === 'yes').map(([name]) => name)).toEqual(['wrote/data']);
    expect(wrote.length).toBeGreaterThan(4);
    expect(plain.data).toMatch(/\bledger\b/);
  });

  test('exits 0 on SIGTERM', () => {
    expect(plain.exit).toBe('0');
  });

  test('starts on the Kubernetes settings with keys it can only read, and answers the probes', () => {
    expect(manifest.paths).toEqual(['/readyz', '/healthz']);
    expect(inPod).toMatchObject({ health: '0', 'get/readyz': '200', 'get/healthz': '200', exit: '0' });
  });
});
