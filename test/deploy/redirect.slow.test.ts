/**
 * The redirect of k8s/transparent, for real: two network namespaces, the rules file as a pod gets it, the sidecar
 * as its user and a workload as another. What this cannot show is a cluster: that the plug-in's kernel has nftables,
 * and that the kubelet runs the init container first.
 */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { makeAuthorityCertificate, makeHostCertificate } from '../../src/store/certificate.ts';
import { atEnd, endAll } from '../support/endings.ts';
import { makePlace, type Place } from '../support/sidecar.ts';
import { manifestsDir, repositoryRoot } from './manifests.ts';
import {
  internetAddress,
  loadRules,
  makeNamespaces,
  type Namespace,
  type Ran,
  whyNot,
} from './namespaces.ts';

const reason = whyNot();
if (reason !== '') {
  // Namespaces and nft need root and two Debian packages; a run that must have them says so, and then this fails.
  const required = process.env['TEST_REQUIRE_NAMESPACES'] === '1';
  test.runIf(required)(`the redirect can be tried here: ${reason}`, () => {
    throw new Error(`TEST_REQUIRE_NAMESPACES=1, but: ${reason}`);
  });
}

const sidecarUser = 65_532;
const workloadUser = 10_001;
const provider = 'api.openai.test';
const elsewhere = 'other.example';
const rules = readFileSync(join(manifestsDir, 'transparent/redirect.nft'), 'utf8');
const main = join(repositoryRoot, 'src/main.ts');
const token = { name: 'ada', role: 'auditor' as const };

interface World {
  readonly pod: Namespace;
  readonly podName: string;
  readonly place: Place;
  /** The certificate of the provider's authority, which the sidecar trusts, and what workloads trust. */
  readonly providerCa: string;
  readonly workloadCa: string;
}

/** The certificates of the internet's hosts, by an authority of its own, in a directory that all can read. */
function writeCertificates(): string {
  const directory = mkdtempSync(join(tmpdir(), 'holdpoint-internet-'));
  atEnd(() => rmSync(directory, { recursive: true }));
  chmodSync(directory, 0o755);
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const times = { fromMs: Date.now() - 60_000, untilMs: Date.now() + 3_600_000 };
  const [issuerName, hosts] = ['The internet', [provider, elsewhere]];
  const ca = { key: privateKey, name: issuerName, hosts, serial: Buffer.of(1), ...times };
  writeFileSync(join(directory, 'ca.pem'), makeAuthorityCertificate(ca));
  writeFileSync(join(directory, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  for (const [i, host] of hosts.entries()) {
    const leaf = { host, publicKey, issuerKey: privateKey, issuerName, serial: Buffer.of(2 + i), ...times };
    writeFileSync(join(directory, `${host}.pem`), makeHostCertificate(leaf));
  }
  return directory;
}

/** A pod with its sidecar, and the internet behind it. */
async function startWorld(loaded = rules, others = 'refuse'): Promise<World> {
  const { pod, internet, podName } = makeNamespaces([provider, elsewhere]);
  const certificates = writeCertificates();
  const server = join(import.meta.dirname, 'provider-process.ts');
  await internet.start(0, [process.execPath, server, certificates, provider, elsewhere], /ready/);
  loadRules(podName, loaded);
  const shared = mkdtempSync(join(tmpdir(), 'holdpoint-pod-'));
  atEnd(() => rmSync(shared, { recursive: true }));
  const workloadCa = join(shared, 'ca.pem');
  const place = makePlace({
    upstreams: {
      openai: { url: `https://${provider}`, protocol: 'openai', mount: '/', key: { env: 'THE_KEY' } },
    },
    proxy: { transparent: { listen: '127.0.0.1:8790' }, others, caFile: workloadCa },
    limits: { upstreamConnectMsMax: 2_000 },
  });
  place.tokenOf(token.name, token.role);
  for (const owned of [place.directory, shared]) {
    spawnSync('chown', ['-R', `${sidecarUser}:${sidecarUser}`, owned]);
    chmodSync(owned, 0o755);
  }
  const providerCa = join(certificates, 'ca.pem');
  const env = {
    NODE_EXTRA_CA_CERTS: providerCa,
    THE_KEY: 'sk-real',
    HOLDPOINT_CONTROL_LISTEN: '127.0.0.1:8788',
  };
  const command = [process.execPath, main, 'run', '--config', place.configFile];
  const child = await pod.start(sidecarUser, command, /control listening/, env);
  atEnd(async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  });
  return { pod, podName, place, providerCa, workloadCa };
}

const curl = (host: string, caFile: string, ...more: readonly string[]): string[] => [
  'curl',
  '-sSi',
  '--max-time',
  '10',
  '--cacert',
  caFile,
  ...more,
  `https://${host}/v1/models`,
];

const decisionSchema = z.object({
  path: z.string(),
  operation: z.string(),
  verdict: z.string(),
  outcome: z.string().nullable(),
});

/** What the sidecar recorded, newest first. */
async function recorded({ pod, place }: World): Promise<z.output<typeof decisionSchema>[]> {
  const env = {
    HOLDPOINT_URL: 'http://127.0.0.1:8788',
    HOLDPOINT_TOKEN: place.tokenOf(token.name, token.role),
  };
  const { code, out } = await pod.run(0, [process.execPath, main, 'decisions', 'list', '--json'], env);
  if (code !== 0) throw new Error(out);
  return z.object({ items: z.array(decisionSchema) }).parse(JSON.parse(out)).items;
}

afterEach(endAll, 60_000);

describe.runIf(reason === '')('the redirect', () => {
  test('brings a workload’s call into the pipeline, and the sidecar’s own straight out', {
    timeout: 120_000,
  }, async () => {
    const world = await startWorld();
    const { pod, workloadCa, providerCa } = world;
    const asked = await pod.run(workloadUser, curl(provider, workloadCa));
    expect(asked).toMatchObject({ code: 0, out: expect.stringMatching(/^HTTP\/1\.1 200 OK/) });
    expect(asked.out).toMatch(/holdpoint-decision: /i);
    // The workload sent none: the sidecar put the key in, and reached the provider as itself.
    expect(asked.out).toContain('"credential":"laer-ks reraeB"');

    const script = `fetch('https://${provider}/v1/models').then((a) => console.log(a.headers.get('holdpoint-decision')))`;
    const byNode = await pod.run(workloadUser, [process.execPath, '-e', script], {
      NODE_EXTRA_CA_CERTS: workloadCa,
    });
    expect(byNode.out).toMatch(/^d-/);

    const direct = await pod.run(sidecarUser, curl(provider, providerCa));
    expect(direct).toMatchObject({ code: 0, out: expect.stringMatching(/^HTTP\/1\.1 200 OK/) });
    expect(direct.out).not.toMatch(/holdpoint-decision/i);
    expect(await recorded(world)).toEqual([
      { path: '/v1/models', operation: 'unknown', verdict: 'pass', outcome: 'delivered' },
      { path: '/v1/models', operation: 'unknown', verdict: 'pass', outcome: 'delivered' },
    ]);
  });

  test('leaves a workload no other way to port 443', { timeout: 120_000 }, async () => {
    const world = await startWorld();
    const { pod, workloadCa, providerCa } = world;
    const refused = (ran: Ran): void => expect(ran.out).toMatch(/unrecognized name/);
    refused(await pod.run(workloadUser, curl(elsewhere, providerCa)));
    refused(await pod.run(0, curl(elsewhere, providerCa)));
    refused(
      await pod.run(
        workloadUser,
        curl('sub.api.openai.test', workloadCa, '--connect-to', `::${internetAddress}:443`),
      ),
    );
    const nameless = ['openssl', 's_client', '-noservername', '-connect', `${internetAddress}:443`];
    refused(await pod.run(workloadUser, nameless));
    // Trusting the provider's real authority alone, a workload sees that it does not speak to the provider.
    expect((await pod.run(workloadUser, curl(provider, providerCa))).code).toBe(60);
    const udp = `require('node:dgram').createSocket('udp4').connect(443, '${internetAddress}', function () {
      this.on('error', (error) => { console.log(error.code); process.exit(); }).send('quic'); });`;
    expect((await pod.run(workloadUser, [process.execPath, '-e', udp])).out).toMatch(/EPERM|ECONNREFUSED/);
    const listed = await recorded(world);
    expect(listed.map(({ path, verdict, outcome }) => [path, verdict, outcome])).toEqual([
      ['', 'deny', 'denied'],
      ['sub.api.openai.test:443', 'deny', 'denied'],
      [`${elsewhere}:443`, 'deny', 'denied'],
      [`${elsewhere}:443`, 'deny', 'denied'],
    ]);
  });

  test('lets other hosts through unread where others pass, and says so', { timeout: 120_000 }, async () => {
    const world = await startWorld(rules, 'pass');
    const passed = await world.pod.run(workloadUser, curl(elsewhere, world.providerCa));
    // The workload spoke to the host itself, whose certificate it checked.
    expect(passed).toMatchObject({ code: 0, out: expect.stringContaining(`"host":"${elsewhere}"`) });
    expect(passed.out).not.toMatch(/holdpoint-decision/i);
    expect(await recorded(world)).toEqual([
      { path: `${elsewhere}:443`, operation: 'tunnel', verdict: 'pass', outcome: 'delivered' },
    ]);
  });

  test('cannot loop: rules that redirect the sidecar itself end each call once', {
    timeout: 120_000,
  }, async () => {
    const careless = rules.replaceAll(/^ *meta skuid .*$/gm, '');
    const world = await startWorld(careless, 'pass');
    const decrypted = await world.pod.run(workloadUser, curl(provider, world.workloadCa));
    // Its own certificate is not the provider's: the sidecar does not speak to itself.
    expect(decrypted.out).toMatch(/^HTTP\/1\.1 502 /);
    const unread = await world.pod.run(workloadUser, curl(elsewhere, world.providerCa));
    expect(unread.code).not.toBe(0);
    const listed = await recorded(world);
    expect(listed.map(({ path, verdict }) => [path, verdict])).toEqual([
      [`${elsewhere}:443`, 'deny'],
      [`${elsewhere}:443`, 'pass'],
      ['/v1/models', 'pass'],
    ]);
  });

  test('can be loaded again without a difference', () => {
    const { podName } = makeNamespaces([]);
    const list = (): string =>
      spawnSync('ip', ['netns', 'exec', podName, 'nft', 'list', 'ruleset'], { encoding: 'utf8' }).stdout;
    loadRules(podName, rules);
    const once = list();
    loadRules(podName, rules);
    expect(list()).toBe(once);
    expect(once.match(/table inet holdpoint/g)).toHaveLength(1);
  });
});
