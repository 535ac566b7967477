/** What a day begins with: a place with keys and tokens, a sidecar that is killed and started again, and chance. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemRandom } from '../../src/core/clock.ts';
import { addToken } from '../../src/store/token-file.ts';
import { type House, makeHouse, type SidecarProcess, startProcess } from '../crash/sidecar-process.ts';

export interface Morning {
  readonly house: House;
  readonly tokens: Readonly<Record<'admin' | 'privacy' | 'auditor', string>>;
  /** From 0 to 1, the same for the same seed. */
  random(): number;
  /** The one that runs, or will in a moment. */
  sidecar(): Promise<SidecarProcess>;
  /** Ends it, by force or in order, and starts it again; whoever asks meanwhile waits for the next. */
  startAgain(byForce: boolean): Promise<void>;
  /** Ends it for good; throws unless it ended in order. */
  stop(): Promise<void>;
  /** Says that a caller has its answer. */
  answered(): void;
  /** Resolves after so many more answers. */
  afterAnswers(count: number): Promise<void>;
  /** What the sidecars complained of, line by line. */
  readonly complaints: readonly string[];
  readonly starts: () => number;
}

/** Starts the first sidecar of the day; each is ended by `endAll`, the place is the caller's to remove. */
export async function begin(upstreamUrl: string, random: () => number): Promise<Morning> {
  const house = makeHouse(upstreamUrl);
  writeFileSync(join(house.directory, 'policy.yaml'), policyText(0));
  const tokens = join(house.dataDir, 'tokens.json');
  const tokenOf = (name: string, role: 'admin' | 'privacy' | 'auditor'): string =>
    addToken(tokens, { name, role }, 0, systemRandom);
  const given = {
    admin: tokenOf('olga', 'admin'),
    privacy: tokenOf('paul', 'privacy'),
    auditor: tokenOf('ines', 'auditor'),
  };
  const complaints: string[] = [];
  let starts = 1;
  let running = startProcess(house);
  let waiting: { left: number; resolve: () => void }[] = [];
  await running;

  async function endThis(byForce: boolean): Promise<void> {
    const sidecar = await running;
    const { code, signal, stderr } = await (byForce ? sidecar.kill() : sidecar.stop());
    complaints.push(...stderr.split('\n').filter((line) => line !== ''));
    const inOrder = byForce ? signal === 'SIGKILL' : code === 0;
    if (!inOrder) throw new Error(`the sidecar ended with ${code ?? signal}: ${stderr}`);
  }

  return {
    house,
    tokens: given,
    random,
    sidecar: () => running,
    startAgain: async (byForce) => {
      const next = endThis(byForce).then(() => startProcess(house));
      running = next;
      starts += 1;
      await next;
    },
    stop: () => endThis(false),
    answered: () => {
      for (const one of waiting) one.left -= 1;
      for (const { resolve } of waiting.filter(({ left }) => left <= 0)) resolve();
      waiting = waiting.filter(({ left }) => left > 0);
    },
    afterAnswers: (left) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ left, resolve });
      return promise;
    },
    complaints,
    starts: () => starts,
  };
}

/** Transfers and what needs consent are held, one after the other where it is both, what is forbidden is denied; the versions differ by a flag alone. */
export function policyText(version: number): string {
  const fixtures = (field: string, yes: string, no: string): string => `
    tests:
      - { name: yes, expect: match, ${field}: ${yes} }
      - { name: no, expect: no-match, ${field}: ${no} }`;
  const held = 'hold: { expiresIn: 1h, approvals: 1, roles: [reviewer], notRequester: true }';
  const text = (what: string): string =>
    fixtures('request', `{ text: "${what}, case 1." }`, '{ text: "plain" }');
  return `version: day-${version}
rules:
  - id: transfers
    title: Transfers need a reviewer
    phase: response
    when: response.toolCalls.exists(c, c.name == "transfer_funds")
    action: hold
    severity: high
    ${held}${fixtures('response', '{ toolCalls: [ { name: transfer_funds, arguments: {} } ] }', '{ toolCalls: [ { name: read, arguments: {} } ] }')}
  - id: consent
    title: What needs consent needs a reviewer before it is asked
    phase: request
    when: request.text.contains("consent")
    action: hold
    severity: high
    ${held}${text('question of consent')}
  - id: forbidden
    title: What is forbidden is not asked
    phase: request
    when: request.text.contains("forbidden")
    action: deny
    severity: high${text('forbidden')}
  - id: version-${version}
    title: Nothing but another version
    phase: request
    when: request.text.contains("case ${version}.")
    action: flag
    severity: low${fixtures('request', `{ text: "plain, case ${version}." }`, '{ text: "plain" }')}
`;
}
