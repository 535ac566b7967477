/** The components of k8s/, applied to the base as kustomize would, and the objects that come out of it. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { StatefulSet } from 'kubernetes-models/apps/v1';
import { ClusterRoleBinding, Role } from 'kubernetes-models/rbac.authorization.k8s.io/v1';
import { type IContainer, type IPodSpec, ServiceAccount } from 'kubernetes-models/v1';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { hasKubectl, manifestsDir, only, readObjects } from './manifests.ts';

const operations = z.array(
  z.object({ op: z.enum(['test', 'add', 'replace']), path: z.string().startsWith('/'), value: z.unknown() }),
);
const component = z.object({
  kind: z.literal('Component'),
  configMapGenerator: z.array(z.object({ name: z.string(), files: z.array(z.string()) })).default([]),
  patches: z.array(z.object({ path: z.string(), target: z.object({ kind: z.string(), name: z.string() }) })),
});

const readComponent = (name: string) =>
  component.parse(parse(readFileSync(join(manifestsDir, name, 'kustomization.yaml'), 'utf8')));

/** RFC 6902, as far as the patches here use it. */
function patched(document: unknown, text: string): unknown {
  const root: unknown = structuredClone(document);
  for (const { op, path, value } of operations.parse(parse(text))) {
    const steps = path.slice(1).split('/');
    const last = steps.pop() ?? '';
    let parent: unknown = root;
    for (const step of steps) parent = memberOf(parent, step, path);
    if (op === 'test') expect(memberOf(parent, last, path), path).toEqual(value);
    else if (Array.isArray(parent) && op === 'add')
      parent.splice(last === '-' ? parent.length : Number(last), 0, value);
    else {
      if (op === 'replace') memberOf(parent, last, path);
      Object.assign(Object(parent), { [last]: value });
    }
  }
  return root;
}

function memberOf(parent: unknown, name: string, path: string): unknown {
  const value: unknown = Reflect.get(Object(parent), name);
  if (value === undefined) throw new Error(`nothing at ${name} of ${path}`);
  return value;
}

/** The pod with these components, in this order. */
function podWith(...names: readonly string[]): IPodSpec {
  let object: unknown = only(readObjects(false), StatefulSet.is);
  for (const name of names) {
    const { patches, configMapGenerator } = readComponent(name);
    const files = [
      ...patches.map(({ path }) => path),
      ...configMapGenerator.flatMap(({ files: each }) => each),
    ];
    expect(files.filter((file) => !existsSync(join(manifestsDir, name, file)))).toEqual([]);
    for (const { path } of patches)
      object = patched(object, readFileSync(join(manifestsDir, name, path), 'utf8'));
  }
  if (!StatefulSet.is(object)) throw new Error('no StatefulSet any more');
  new StatefulSet(object).validate();
  const { spec } = object.spec?.template ?? {};
  if (spec === undefined) throw new Error('no pod');
  return spec;
}

function containerOf(pod: IPodSpec, name: string): IContainer {
  const found = [...(pod.initContainers ?? []), ...pod.containers].find((each) => each.name === name);
  if (found === undefined) throw new Error(`no container ${name}`);
  return found;
}

const mountsOf = (container: IContainer): string[] =>
  (container.volumeMounts ?? []).map(({ name, readOnly }) => `${name}${readOnly === true ? ' (read)' : ''}`);
const envOf = (container: IContainer): Record<string, string | undefined> =>
  Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value]));

describe('injected-keys', () => {
  const pod = podWith('injected-keys');

  test('gives the workload no key, neither as a variable nor as a file', () => {
    const workload = containerOf(pod, 'workload');
    expect(workload.env?.filter(({ valueFrom }) => valueFrom !== undefined)).toEqual([]);
    expect(mountsOf(workload)).toEqual(['workload-tmp']);
  });

  test('gives the sidecar the Secret to read', () => {
    expect(mountsOf(containerOf(pod, 'holdpoint'))).toContain('provider-keys (read)');
    expect(pod.volumes?.at(-1)?.secret?.secretName).toBe('workload-provider-key');
  });
});

describe('service-accounts', () => {
  const pod = podWith('service-accounts');
  const text = readFileSync(join(manifestsDir, 'service-accounts/rbac.yaml'), 'utf8');
  const objects = parseAllDocuments(text).map((document): unknown => document.toJS());

  test('gives the account to the sidecar alone, where it looks for it', () => {
    expect(pod.serviceAccountName).toBe('holdpoint');
    expect(pod.automountServiceAccountToken).toBe(false);
    const mount = containerOf(pod, 'holdpoint').volumeMounts?.find(({ name }) => name === 'cluster');
    expect(mount).toEqual({
      name: 'cluster',
      mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
      readOnly: true,
    });
    expect(mountsOf(containerOf(pod, 'workload'))).toEqual(['workload-tmp']);
  });

  test('lets it ask for reviews and nothing else', () => {
    const account = only(objects, ServiceAccount.is);
    const binding = only(objects, ClusterRoleBinding.is);
    for (const object of [
      new ServiceAccount(account),
      new ClusterRoleBinding(binding),
      new Role(only(objects, Role.is)),
    ])
      object.validate();
    expect(objects.length).toBe(3);
    expect(binding.roleRef.name).toBe('system:auth-delegator');
  });

  test('has a role as the sidecar asks for it', () => {
    expect(only(objects, Role.is).rules).toEqual([
      { apiGroups: ['holdpoint.dev'], resources: ['roles'], resourceNames: ['viewer'], verbs: ['use'] },
    ]);
  });
});

describe('transparent', () => {
  const pod = podWith('transparent');
  const redirect = containerOf(pod, 'redirect');
  const sidecar = containerOf(pod, 'holdpoint');

  test('loads the rules before any other container, once, with one capability and nothing to write to', () => {
    expect(pod.initContainers?.map(({ name }) => name)).toEqual(['redirect', 'holdpoint']);
    expect(redirect.restartPolicy).toBeUndefined();
    expect(redirect.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] },
    });
    expect(mountsOf(redirect)).toEqual(['holdpoint-redirect (read)']);
  });

  test('gives NET_ADMIN to no container that stays', () => {
    for (const { name, securityContext } of [...(pod.initContainers ?? []), ...pod.containers])
      if (name !== 'redirect') expect(securityContext?.capabilities, name).toEqual({ drop: ['ALL'] });
  });

  test('exempts the user that the sidecar runs as, and no container else does', () => {
    const rules = readFileSync(join(manifestsDir, 'transparent/redirect.nft'), 'utf8');
    const exempt = [...rules.matchAll(/meta skuid (\d+)/g)].map((match) => Number(match[1]));
    expect(new Set(exempt)).toEqual(new Set([sidecar.securityContext?.runAsUser]));
    for (const { name, securityContext } of pod.containers)
      expect(securityContext?.runAsUser, name).not.toBe(sidecar.securityContext?.runAsUser);
  });

  test('redirects to the port that the sidecar listens on, on loopback', () => {
    const rules = readFileSync(join(manifestsDir, 'transparent/redirect.nft'), 'utf8');
    const port = /redirect to :(\d+)/.exec(rules)?.[1];
    expect(envOf(sidecar)['HOLDPOINT_PROXY_TRANSPARENT_LISTEN']).toBe(`127.0.0.1:${port}`);
  });

  test('lets the workload read the certificate where the sidecar writes it, and not change it', () => {
    const workload = containerOf(pod, 'workload');
    const file = envOf(sidecar)['HOLDPOINT_PROXY_CA_FILE'];
    expect(envOf(workload)).toMatchObject({ NODE_EXTRA_CA_CERTS: file, SSL_CERT_FILE: file });
    expect(mountsOf(workload)).toContain('holdpoint-ca (read)');
    expect(mountsOf(sidecar)).toContain('holdpoint-ca');
    const items = pod.volumes?.find(({ name }) => name === 'holdpoint-keys')?.secret?.items;
    expect(items?.map(({ path }) => path)).toEqual(['signing.pem', 'kek.key', 'ca.key']);
  });
});

test('both fit together, in the order that they name', () => {
  const pod = podWith('injected-keys', 'transparent');
  expect(mountsOf(containerOf(pod, 'holdpoint'))).toEqual(
    expect.arrayContaining(['provider-keys (read)', 'holdpoint-ca']),
  );
});

test.runIf(hasKubectl())('kustomize makes the same of an overlay as these tests do', () => {
  const overlay = mkdtempSync(join(tmpdir(), 'holdpoint-overlay-'));
  try {
    const base = relative(overlay, manifestsDir);
    const components = ['injected-keys', 'transparent'].map((name) => `${base}/${name}`);
    writeFileSync(join(overlay, 'kustomization.yaml'), JSON.stringify({ resources: [base], components }));
    const { stdout, stderr } = spawnSync('kubectl', ['kustomize', overlay], { encoding: 'utf8' });
    const objects = parseAllDocuments(stdout).map((document): unknown => document.toJS());
    expect(stderr).toBe('');
    const pod = only(objects, StatefulSet.is).spec?.template.spec;
    const names = (spec: IPodSpec | undefined) => ({
      init: spec?.initContainers?.map(({ name }) => name),
      volumes: spec?.volumes?.map(({ name }) => name),
      env: [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(envOf),
    });
    expect(names(pod)).toEqual(names(podWith('injected-keys', 'transparent')));
  } finally {
    rmSync(overlay, { recursive: true });
  }
});
