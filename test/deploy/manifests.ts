/**
 * Reads k8s/ as a cluster would get it, for the tests beside this file. The schemas are those of the
 * Kubernetes API, from `kubernetes-models`; nothing of the product is imported.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StatefulSet } from 'kubernetes-models/apps/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { ConfigMap, Service } from 'kubernetes-models/v1';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';

export const repositoryRoot = join(import.meta.dirname, '../..');
export const manifestsDir = join(repositoryRoot, 'k8s');

/** Every kind that k8s/ may contain; another one fails until its schema is added here. */
export const models = [StatefulSet, Service, NetworkPolicy, ConfigMap] as const;

/** The first kubectl whose kustomize knows every field used; older ones are treated as absent. */
const kubectlMinorMin = 29;

const clientVersion = z.object({ clientVersion: z.object({ major: z.string(), minor: z.string() }) });

const kustomization = z.object({
  resources: z.array(z.string()),
  configMapGenerator: z.array(z.object({ name: z.string(), files: z.array(z.string()) })),
});
export type Kustomization = z.infer<typeof kustomization>;

/** k8s/kustomization.yaml, as far as the tests look at it. */
export function readKustomization(): Kustomization {
  return kustomization.parse(parse(readFileSync(join(manifestsDir, 'kustomization.yaml'), 'utf8')));
}

/** Whether a kubectl that can render k8s/ is on this machine. */
export function hasKubectl(): boolean {
  const answer = spawnSync('kubectl', ['version', '--client', '--output=json'], { encoding: 'utf8' });
  if (answer.status !== 0) return false;
  const { major, minor } = clientVersion.parse(JSON.parse(answer.stdout)).clientVersion;
  return major === '1' && Number.parseInt(minor, 10) >= kubectlMinorMin;
}

/** Every object of k8s/: as `kubectl kustomize` renders it, or the listed resource files as they stand. */
export function readObjects(rendered: boolean): unknown[] {
  const texts = rendered
    ? [renderByKubectl()]
    : readKustomization().resources.map((name) => readFileSync(join(manifestsDir, name), 'utf8'));
  return texts.flatMap((text) =>
    parseAllDocuments(text).map((document): unknown => {
      if (document.errors.length > 0) throw document.errors[0];
      return document.toJS();
    }),
  );
}

function renderByKubectl(): string {
  const answer = spawnSync('kubectl', ['kustomize', manifestsDir], { encoding: 'utf8' });
  if (answer.status !== 0) throw new Error(`kubectl kustomize: ${answer.stderr}`);
  return answer.stdout;
}

/** The object's model, or an error that names the kind no schema is listed for. */
export function modelOf(object: unknown): (typeof models)[number] {
  const model = models.find((candidate) => candidate.is(object));
  if (model === undefined) throw new Error(`no schema listed for ${JSON.stringify(object).slice(0, 200)}`);
  return model;
}

/** The one object that `guard` recognises. */
export function only<T>(objects: readonly unknown[], guard: (value: unknown) => value is T): T {
  const found = objects.filter(guard);
  const first = found[0];
  if (first === undefined || found.length > 1) throw new Error(`expected one object, found ${found.length}`);
  return first;
}
