/**
 * Builds the image with buildah and boots it in Linux namespaces, for a machine without a container
 * engine. The base is made here from Debian's packages and the pinned Node, under the name that the
 * Dockerfile asks for. Imports nothing of the product: what is tested is the image alone.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { repositoryRoot } from './manifests.ts';

/** Each program that is needed and Debian's package that has it. */
const packageByProgram = {
  buildah: 'buildah',
  debootstrap: 'debootstrap',
  unshare: 'util-linux',
  ip: 'iproute2',
  npm: 'npm',
} as const;

const stepTimeoutMs = 900_000;

/** Why the image cannot be built here, naming what to install; '' when it can. */
export function whyNot(): string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux';
  const missing = Object.entries(packageByProgram).filter(
    ([program]) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0,
  );
  if (missing.length === 0) return '';
  return `apt-get install ${missing.map(([, name]) => name).join(' ')}`;
}

/** Runs a program to its end and returns its standard output; throws with the tail of what it said. */
export function run(program: string, args: readonly string[]): string {
  const answer = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: stepTimeoutMs,
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, BUILDAH_ISOLATION: 'chroot', STORAGE_DRIVER: 'vfs' },
  });
  if (answer.status === 0) return answer.stdout;
  const said = `${answer.stdout}${answer.stderr}`.slice(-4000);
  throw new Error(
    `${program} ${args.join(' ').slice(0, 200)}: ${answer.error?.message ?? answer.status}\n${said}`,
  );
}

/** buildah on a storage of its own, so that nothing is left on the machine and nothing found there is used. */
export function buildah(workDir: string, ...args: string[]): string {
  return run('buildah', [
    '--root',
    join(workDir, 'storage'),
    '--runroot',
    join(workDir, 'run'),
    ...args,
  ]).trim();
}

/**
 * Makes `node:24-slim`: Debian's minimal system, the Node of this checkout, and npm as the official image
 * has them. The registry and the certificates by which this machine reaches it come from npm's own
 * settings and go into this base only.
 */
export function makeBase(workDir: string): void {
  const root = join(workDir, 'rootfs');
  run('debootstrap', ['--variant=minbase', '--include=libatomic1,ca-certificates', 'bookworm', root]);
  const local = join(root, 'usr/local');
  mkdirSync(join(local, 'lib/node_modules'), { recursive: true });
  mkdirSync(join(local, 'etc'), { recursive: true });
  cpSync(join(repositoryRoot, 'node_modules/node/bin/node'), join(local, 'bin/node'));
  // npm's own folder: found by its command, because npm's idea of a global folder follows the Node it runs on.
  const npmFolder = dirname(dirname(realpathSync(run('sh', ['-c', 'command -v npm']).trim())));
  cpSync(npmFolder, join(local, 'lib/node_modules/npm'), { recursive: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(local, 'bin/npm'));
  const cafile = run('npm', ['config', 'get', 'cafile']).trim();
  const certificates = cafile === 'null' ? (process.env.NODE_EXTRA_CA_CERTS ?? '') : cafile;
  const settings = [`registry=${run('npm', ['config', 'get', 'registry']).trim()}`];
  if (certificates !== '') {
    copyFileSync(certificates, join(root, 'etc/ssl/certs/npm-registry.crt'));
    settings.push('cafile=/etc/ssl/certs/npm-registry.crt');
  }
  writeFileSync(join(local, 'etc/npmrc'), `${settings.join('\n')}\n`);

  const container = buildah(workDir, 'from', 'scratch');
  buildah(workDir, 'add', '--quiet', container, root, '/');
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  buildah(workDir, 'config', '--env', `PATH=${path}`, container);
  buildah(workDir, 'commit', '--quiet', '--rm', container, 'node:24-slim');
  rmSync(root, { recursive: true });
}

const imageConfig = z.object({
  Docker: z.object({
    config: z.object({
      User: z.string(),
      Env: z.array(z.string()),
      Entrypoint: z.array(z.string()),
      Cmd: z.array(z.string()),
      WorkingDir: z.string(),
      StopSignal: z.string(),
      Volumes: z.record(z.string(), z.unknown()),
      Labels: z.record(z.string(), z.string()),
      Healthcheck: z.object({ Test: z.array(z.string()) }),
    }),
  }),
});
export type ImageConfig = z.infer<typeof imageConfig>['Docker']['config'];

/** A built image: what it declares, and its files mounted at `root`. */
export type Image = { readonly config: ImageConfig; readonly root: string; readonly bytes: number };

/** Builds the checkout's Dockerfile on the base of `makeBase` and mounts the result. */
export function buildImage(workDir: string): Image {
  // The docker format, because OCI's has no HEALTHCHECK.
  buildah(workDir, 'build', '--pull-never', '--format', 'docker', '--tag', 'holdpoint:test', repositoryRoot);
  const { config } = imageConfig.parse(
    JSON.parse(buildah(workDir, 'inspect', '--type', 'image', 'holdpoint:test')),
  ).Docker;
  const root = buildah(workDir, 'mount', buildah(workDir, 'from', '--pull-never', 'holdpoint:test'));
  return { config, root, bytes: Number.parseInt(run('du', ['-sbx', root]), 10) };
}

/** What a boot showed, by name; see boot.sh for the names. */
export type Boot = Readonly<Record<string, string>>;

/**
 * Starts the image's own command as its user, on a read-only root, with no capability and no way to gain
 * one, in network, process and mount namespaces of its own; asks it, and ends it by SIGTERM.
 * @param mounts a directory of this machine for each directory of the image that is mounted over, read-only.
 */
export function boot(
  image: Image,
  paths: readonly string[],
  mounts: Readonly<Record<string, string>> = {},
): Boot {
  const { config } = image;
  const quote = (words: readonly string[]) =>
    words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const [uid = '', gid = ''] = config.User.split(':');
  const settings = {
    ROOT: image.root,
    IMAGE_UID: uid,
    IMAGE_GID: gid,
    IMAGE_DIR: config.WorkingDir,
    IMAGE_ENV: quote(config.Env),
    START: quote([...config.Entrypoint, ...config.Cmd]),
    HEALTH: quote(config.Healthcheck.Test.slice(1)),
    PATHS: paths.join(' '),
    MOUNTS: Object.entries(mounts)
      .map(([at, from]) => `${from}:${at}`)
      .join(' '),
  };
  const assignments = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  const namespaces = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--propagation', 'private'];
  const script = join(dirname(import.meta.filename), 'boot.sh');
  const printed = run('env', [...assignments, 'unshare', ...namespaces, 'sh', script]);
  if (!printed.includes('health=0\n')) process.stdout.write(printed);
  return Object.fromEntries(
    printed.split('\n').flatMap((line) => {
      const match = /^([a-z][\w/]*)=(.*)$/.exec(line);
      return match === null ? [] : [[match[1], match[2]]];
    }),
  );
}

const lockfile = z.object({
  packages: z.record(
    z.string(),
    z.object({ dev: z.boolean().optional(), devOptional: z.boolean().optional() }),
  ),
});

/** The directories of packages that only development needs, as the lockfile marks them. */
export function developmentPackages(): string[] {
  const text = readFileSync(join(repositoryRoot, 'package-lock.json'), 'utf8');
  return Object.entries(lockfile.parse(JSON.parse(text)).packages).flatMap(([path, entry]) =>
    entry.dev === true ? [path] : [],
  );
}
