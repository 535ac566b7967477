import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StatefulSet } from 'kubernetes-models/apps/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { ConfigMap, type IContainer, type IProbe, Service } from 'kubernetes-models/v1';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  hasKubectl,
  manifestsDir,
  modelOf,
  only,
  readKustomization,
  readObjects,
  repositoryRoot,
} from './manifests.ts';

const rendered = hasKubectl();
const objects = readObjects(rendered);
const how = rendered ? 'as kubectl kustomize renders them' : 'as files, no kubectl of 1.29 or later here';

const statefulSet = only(objects, StatefulSet.is);
const pod = defined(statefulSet.spec?.template.spec, 'pod spec');
const sidecar = named(pod.initContainers ?? [], 'holdpoint');
const workload = named(pod.containers, 'workload');

function defined<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what} is missing`);
  return value;
}

function named(containers: readonly IContainer[], name: string): IContainer {
  return defined(
    containers.find((container) => container.name === name),
    `container ${name}`,
  );
}

/** What tsc says of the objects as literals of their types: it refuses a key that the API does not know. */
function unknownKeys(candidates: readonly unknown[]): string {
  const dir = mkdtempSync(join(tmpdir(), 'holdpoint-manifests-'));
  try {
    symlinkSync(join(repositoryRoot, 'node_modules'), join(dir, 'node_modules'));
    writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
    const lines = candidates.map((object, index) => {
      const { kind, apiVersion } = modelOf(object);
      return `import type { I${kind} as T${index} } from 'kubernetes-models/${apiVersion}';\nexport const o${index}: T${index} = ${JSON.stringify(object)};`;
    });
    writeFileSync(join(dir, 'objects.ts'), lines.join('\n'));
    const tsc = join(repositoryRoot, 'node_modules/.bin/tsc');
    const flags = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext'];
    const answer = spawnSync(process.execPath, [tsc, ...flags, 'objects.ts'], { cwd: dir, encoding: 'utf8' });
    return answer.status === 0 ? '' : `${answer.stdout}${answer.stderr}`;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

describe(`the manifests, ${how}`, () => {
  test('kustomization.yaml names only files that exist', () => {
    const { resources, configMapGenerator } = readKustomization();
    const files = [...resources, ...configMapGenerator.flatMap((generator) => generator.files)];
    expect(files.length).toBeGreaterThan(3);
    expect(files.filter((file) => !existsSync(join(manifestsDir, file)))).toEqual([]);
  });

  test('every object has the shape its Kubernetes schema asks for', () => {
    expect(objects.length).toBeGreaterThanOrEqual(3);
    for (const object of objects) {
      if (StatefulSet.is(object)) new StatefulSet(object).validate();
      else if (Service.is(object)) new Service(object).validate();
      else if (NetworkPolicy.is(object)) new NetworkPolicy(object).validate();
      else if (ConfigMap.is(object)) new ConfigMap(object).validate();
      else modelOf(object);
    }
  });

  test('a value of the wrong type is refused by the schema', () => {
    const wrong: unknown = JSON.parse(
      JSON.stringify(statefulSet).replace('"periodSeconds":5', '"periodSeconds":"5s"'),
    );
    if (!StatefulSet.is(wrong)) throw new Error('not a StatefulSet');
    expect(() => new StatefulSet(wrong).validate()).toThrow(/periodSeconds must be integer/);
  });

  test('no object has a key that the API does not know', () => {
    expect(unknownKeys(objects)).toBe('');
  });

  test('a misspelt key deep in a container is refused', () => {
    const wrong: unknown = JSON.parse(
      JSON.stringify(statefulSet).replace('"readinessProbe"', '"readynessProbe"'),
    );
    expect(unknownKeys([wrong])).toMatch(/readynessProbe/);
  });

  test('no Secret and no literal credential is among them', () => {
    expect(readFileSync(join(manifestsDir, 'kustomization.yaml'), 'utf8')).not.toMatch(/^secretGenerator/m);
    for (const container of [sidecar, workload]) {
      const literal = (container.env ?? []).filter((variable) => variable.value !== undefined);
      expect(literal.filter((variable) => /key|token|secret|password/i.test(variable.name))).toEqual([]);
    }
    expect(JSON.stringify(objects)).not.toMatch(/sk-[\w-]{8,}|BEGIN [A-Z ]*PRIVATE KEY/);
  });
});

describe('the pod', () => {
  test('runs Holdpoint as a native sidecar', () => {
    expect(sidecar.restartPolicy).toBe('Always');
    expect(pod.containers.map((container) => container.name)).toEqual(['workload']);
  });

  test('has one writer for one ledger', () => {
    expect(statefulSet.spec?.replicas).toBe(1);
    const claims = statefulSet.spec?.volumeClaimTemplates ?? [];
    expect(claims.map((claim) => [claim.metadata?.name, claim.spec?.accessModes])).toEqual([
      ['data', ['ReadWriteOncePod']],
    ]);
  });

  test('keeps the ledger when the StatefulSet is deleted or scaled', () => {
    expect(statefulSet.spec?.persistentVolumeClaimRetentionPolicy).toEqual({
      whenDeleted: 'Retain',
      whenScaled: 'Retain',
    });
  });

  test.each(['startupProbe', 'readinessProbe', 'livenessProbe'] as const)(
    '%s asks a path that needs no token',
    (name) => {
      const probe: IProbe = defined(sidecar[name], name);
      const port = defined(
        sidecar.ports?.find((candidate) => candidate.name === 'control'),
        'port control',
      );
      expect(probe.httpGet?.port).toBe('control');
      expect(port.containerPort).toBe(8788);
      expect(probe.httpGet?.path).toBe(name === 'livenessProbe' ? '/healthz' : '/readyz');
    },
  );

  test.each([
    ['sidecar', sidecar],
    ['workload', workload],
  ])('%s meets the restricted Pod Security Standard on a read-only root', (_, container) => {
    expect(container.securityContext).toMatchObject({
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(container.securityContext?.privileged).toBeUndefined();
    expect(pod.securityContext?.seccompProfile?.type).toBe('RuntimeDefault');
    expect([pod.hostNetwork, pod.hostPID, pod.hostIPC]).toEqual([undefined, undefined, undefined]);
    expect(pod.volumes?.filter((volume) => volume.hostPath !== undefined)).toEqual([]);
  });

  test.each([
    ['sidecar', sidecar],
    ['workload', workload],
  ])('%s has requests and limits', (_, container) => {
    expect(container.resources).toMatchObject({
      requests: { cpu: expect.anything(), memory: expect.anything() },
      limits: { cpu: expect.anything(), memory: expect.anything() },
    });
  });

  test('mounts no service account token', () => {
    expect(pod.automountServiceAccountToken).toBe(false);
  });

  test('can write nowhere but to the ledger volume', () => {
    const writable = (sidecar.volumeMounts ?? []).filter((mount) => mount.readOnly !== true);
    expect(writable.map((mount) => [mount.name, mount.mountPath])).toEqual([['data', '/data']]);
  });
});

describe('the workload', () => {
  test('shares no volume, no user and no process namespace with the sidecar', () => {
    const names = (container: IContainer) => (container.volumeMounts ?? []).map((mount) => mount.name);
    expect(names(sidecar)).toEqual(['data', 'holdpoint-config', 'holdpoint-keys']);
    expect(names(workload).filter((name) => names(sidecar).includes(name))).toEqual([]);
    expect(workload.securityContext?.runAsUser).not.toBe(sidecar.securityContext?.runAsUser);
    expect(pod.shareProcessNamespace).toBe(false);
  });

  test('gets no secret but its own provider key', () => {
    const secrets = (workload.env ?? []).map((variable) => variable.valueFrom?.secretKeyRef?.name);
    expect(new Set(secrets.filter((name) => name !== undefined))).toEqual(new Set(['workload-provider-key']));
    expect(workload.envFrom).toBeUndefined();
    expect(JSON.stringify(sidecar)).not.toContain('workload-provider-key');
  });

  test('reaches the models only by the two base URLs', () => {
    const values = Object.fromEntries((workload.env ?? []).map(({ name, value }) => [name, value]));
    expect(values).toMatchObject({
      OPENAI_BASE_URL: 'http://127.0.0.1:8787/v1',
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:8787/anthropic',
    });
  });
});

describe('the settings', () => {
  const settings: unknown = parse(readFileSync(join(manifestsDir, 'config/holdpoint.yaml'), 'utf8'));

  test('keep the data plane on loopback and open the control port to the probes', () => {
    expect(settings).toMatchObject({
      proxy: { listen: '127.0.0.1:8787' },
      control: { listen: '0.0.0.0:8788' },
    });
  });

  test('point to the places the sidecar mounts', () => {
    const at = Object.fromEntries((sidecar.volumeMounts ?? []).map((mount) => [mount.name, mount.mountPath]));
    expect(settings).toMatchObject({
      data: { dir: at.data, durability: 'strict' },
      keys: { dir: at['holdpoint-keys'] },
      policy: { file: `${at['holdpoint-config']}/policy.yaml` },
    });
  });

  test('send each base URL of the workload to an upstream that is mounted there', () => {
    expect(settings).toMatchObject({
      upstreams: { openai: { mount: '/' }, anthropic: { mount: '/anthropic' } },
    });
  });
});

describe('the network', () => {
  const policy = only(objects, NetworkPolicy.is);
  const service = only(objects, Service.is);

  test('lets only labelled pods of labelled namespaces in, and only to the control port', () => {
    const [rule, ...others] = policy.spec?.ingress ?? [];
    expect(others).toEqual([]);
    expect(rule?.ports).toEqual([{ protocol: 'TCP', port: 8788 }]);
    for (const peer of defined(rule?.from, 'ingress peers')) {
      const label = peer.podSelector?.matchLabels?.['holdpoint-access'];
      expect(['reviewers', 'monitoring']).toContain(label);
      expect(peer.namespaceSelector?.matchLabels).toEqual({ 'holdpoint-access': label });
    }
  });

  test('lets nothing out but DNS and HTTPS, and neither to private nor to metadata addresses', () => {
    const egress = policy.spec?.egress ?? [];
    const ports = egress.flatMap((rule) => defined(rule.ports, 'egress ports').map((port) => port.port));
    expect(new Set(ports)).toEqual(new Set([53, 443]));
    const https = egress.filter((rule) => rule.ports?.some((port) => port.port === 443));
    const excepted = https.flatMap((rule) => rule.to ?? []).flatMap((peer) => peer.ipBlock?.except ?? []);
    expect(excepted).toEqual(expect.arrayContaining(['10.0.0.0/8', '169.254.0.0/16', 'fc00::/7']));
    expect(policy.spec?.policyTypes).toEqual(['Ingress', 'Egress']);
  });

  test('selects the pod by the labels it has', () => {
    const labels = statefulSet.spec?.template.metadata?.labels;
    expect(labels).toMatchObject(defined(policy.spec?.podSelector?.matchLabels, 'pod selector'));
    expect(labels).toMatchObject(defined(service.spec?.selector, 'service selector'));
    expect(labels).toMatchObject(defined(statefulSet.spec?.selector.matchLabels, 'selector'));
  });

  test('gives reviewers each pod by name, ready or not, and the data plane no Service', () => {
    expect(service.metadata?.name).toBe(statefulSet.spec?.serviceName);
    expect(service.spec).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
    expect(service.spec?.ports?.map((port) => port.port)).toEqual([8788]);
  });
});

describe.runIf(rendered)('what kustomize makes of the two files', () => {
  const configMaps = objects.filter(ConfigMap.is);

  test('rolls the pod when the settings change, and reloads in place when the policy changes', () => {
    const names = configMaps.map((map) => map.metadata?.name ?? '').sort();
    expect(names).toEqual([expect.stringMatching(/^holdpoint-config-\w{10}$/), 'holdpoint-policy']);
    const sources =
      pod.volumes?.find((volume) => volume.name === 'holdpoint-config')?.projected?.sources ?? [];
    expect(sources.map((source) => source.configMap?.name).sort()).toEqual(names);
  });
});
