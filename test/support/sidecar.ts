/**
 * Sidecars for tests: in this process or as a real one, in a directory of their own, on free ports. Each is
 * ended by `endAll`, and the ledger it leaves behind must verify.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock, systemRandom, systemSchedule } from '../../src/core/clock.ts';
import type { ProtocolName } from '../../src/core/protocol-name.ts';
import type { Role } from '../../src/core/roles.ts';
import { systemLookUp } from '../../src/proxy/intercept/address.ts';
import { type Machine, type Sidecar, startSidecar } from '../../src/sidecar.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';
import { addToken } from '../../src/store/token-file.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { type Control, createControl } from './control-client.ts';
import { atEnd } from './endings.ts';

interface UpstreamSettings {
  readonly url: string;
  readonly protocol: ProtocolName;
  readonly mount: string;
  readonly hosts?: readonly string[];
  readonly tunnel?: readonly string[];
  readonly key?: Readonly<Record<string, string>>;
  readonly sign?: { readonly service: string; readonly region: string };
  readonly keepHost?: boolean;
}

export interface Settings {
  /** Text of the policy file; one that stops nothing when absent. */
  readonly policy?: string;
  readonly upstreams: Readonly<Record<string, UpstreamSettings>>;
  /** Settings of `proxy` beside its own listener. */
  readonly proxy?: Readonly<Record<string, unknown>>;
  /** The sidecar's environment; empty when absent. */
  readonly env?: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, number>>;
  readonly workload?: string;
  readonly anchors?: Readonly<Record<string, unknown>>;
  readonly witness?: Readonly<Record<string, unknown>>;
  readonly egress?: Readonly<Record<string, unknown>>;
  /** Of a process of its own: what Node is started with. */
  readonly nodeFlags?: readonly string[];
  /** Parts of the machine to replace; the machine's own otherwise. */
  readonly machine?: Partial<Machine>;
}

/** Where a sidecar lives; survives its processes. */
export interface Place {
  readonly directory: string;
  readonly dataDir: string;
  readonly configFile: string;
  readonly policyFile: string;
  tokenOf(name: string, role: Role): string;
}

export interface TestSidecar {
  readonly place: Place;
  readonly proxyUrl: string;
  readonly controlUrl: string;
  readonly sidecar: Sidecar;
  /** The reviewer ada. */
  readonly ada: Control;
  as(name: string, role: Role): Control;
  stop(reason?: string): Promise<void>;
}

export interface SidecarProcess {
  readonly place: Place;
  readonly pid: number;
  readonly proxyUrl: string;
  /** '' where there is none. */
  readonly forwardUrl: string;
  readonly controlUrl: string;
  readonly ada: Control;
  /** Resolves with the exit code, null when a signal ended it. */
  readonly exited: Promise<number | null>;
  kill(signal: NodeJS.Signals): Promise<number | null>;
  /** What it printed so far. */
  output(): string;
}

export const passAll = 'version: "1"\nrules: []\n';
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const reviewer = 'ada';

/** A directory with configuration and policy; removed, and its ledger verified, at the end. */
export function makePlace(settings: Settings): Place {
  const directory = mkdtempSync(join(tmpdir(), 'holdpoint-test-'));
  const dataDir = join(directory, 'data');
  const configFile = join(directory, 'holdpoint.yaml');
  const policyFile = join(directory, 'policy.yaml');
  writeFileSync(policyFile, settings.policy ?? passAll);
  const config = {
    proxy: { listen: '127.0.0.1:0', ...settings.proxy },
    control: { listen: '127.0.0.1:0' },
    data: { dir: dataDir },
    upstreams: settings.upstreams,
    policy: { file: policyFile },
    workload: { name: settings.workload ?? 'agent' },
    ...(settings.anchors === undefined ? {} : { anchors: settings.anchors }),
    ...(settings.witness === undefined ? {} : { witness: settings.witness }),
    ...(settings.egress === undefined ? {} : { egress: settings.egress }),
    limits: { drainMsMax: 2_000, ...settings.limits },
    log: { level: 'silent' },
  };
  writeFileSync(configFile, JSON.stringify(config));
  const tokens = new Map<string, string>();
  atEnd(async () => {
    try {
      await requireIntact(dataDir);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
  return {
    directory,
    dataDir,
    configFile,
    policyFile,
    tokenOf: (name, role) => {
      const known = tokens.get(name);
      if (known !== undefined) return known;
      const file = join(dataDir, 'tokens.json');
      const token = addToken(file, { name, role }, systemClock.nowMs(), systemRandom);
      tokens.set(name, token);
      return token;
    },
  };
}

/** Sealer and verifier agree on everything that the tests made the sidecar write. */
async function requireIntact(dataDir: string): Promise<void> {
  const verdict = await verifyDirectory(dataDir, {});
  if (!verdict.ok) throw new Error(`The ledger does not verify: ${JSON.stringify(verdict.findings)}`);
}

/** Starts a sidecar in this process. */
export async function startTestSidecar(
  settings: Settings,
  place = makePlace(settings),
): Promise<TestSidecar> {
  const machine: Machine = {
    clock: systemClock,
    schedule: systemSchedule,
    lookUp: systemLookUp,
    openLedgerStore,
    ...settings.machine,
  };
  const sidecar = await startSidecar(place.configFile, settings.env ?? {}, machine);
  atEnd(() => sidecar.stop('test ended'));
  const as = (name: string, role: Role): Control =>
    createControl(sidecar.controlUrl, place.tokenOf(name, role));
  return {
    place,
    proxyUrl: sidecar.proxyUrl,
    controlUrl: sidecar.controlUrl,
    sidecar,
    ada: as(reviewer, 'reviewer'),
    as,
    stop: (reason = 'test') => sidecar.stop(reason),
  };
}

/** Starts a sidecar as a process of its own, as `holdpoint run` does. */
export async function spawnSidecar(settings: Settings, place = makePlace(settings)): Promise<SidecarProcess> {
  const token = place.tokenOf(reviewer, 'reviewer');
  const child = spawn(
    process.execPath,
    [...(settings.nodeFlags ?? []), main, 'run', '--config', place.configFile],
    {
      env: { ...process.env, ...settings.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString('utf8');
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const kill = (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    return exited;
  };
  const lastResort = (): boolean => child.kill('SIGKILL');
  process.once('exit', lastResort);
  atEnd(async () => {
    await kill('SIGKILL');
    process.off('exit', lastResort);
  });
  const [proxyUrl, controlUrl, forwardUrl] = await announced(child);
  return {
    place,
    pid: child.pid ?? 0,
    proxyUrl,
    forwardUrl,
    controlUrl,
    ada: createControl(controlUrl, token),
    exited,
    kill,
    output: () => printed,
  };
}

function announced(child: ChildProcess): Promise<readonly [string, string, string]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly [string, string, string]>();
  let output = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
  });
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
    const proxy = /^proxy listening on (\S+)$/m.exec(output)?.[1];
    const control = /^control listening on (\S+)$/m.exec(output)?.[1];
    const forward = /^forward proxy listening on (\S+)$/m.exec(output)?.[1] ?? '';
    if (proxy !== undefined && control !== undefined) resolve([proxy, control, forward]);
  });
  child.once('exit', (code) => reject(new Error(`The sidecar ended with ${code}: ${output}`)));
  return promise;
}
