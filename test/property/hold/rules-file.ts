/** The file of the house's rules, on a real disk, and what the sidecar makes of it: as the sidecar itself follows it. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HoldpointError } from '../../../src/core/errors.ts';
import { loadPolicy } from '../../../src/policy/compile.ts';
import type { Policy } from '../../../src/policy/policy.ts';
import { openPolicyFile, type PolicyFile } from '../../../src/policy-file.ts';
import type { Logger } from '../../../src/telemetry/logger.ts';
import { type LoadedName, type PolicyName, roleBook, startsWith } from './policies.ts';
import { textOf } from './policy-text.ts';

export interface RulesFile {
  /** Puts another file in its place, as whoever edits it does. */
  write(name: PolicyName): void;
  /** What stands in it. */
  name(): PolicyName;
  /** What stood in it last that loads. */
  lastLoaded(): LoadedName;
  /** Opened anew by each process. Throws where what stands in it does not load. */
  open(onError: (error: unknown) => void): PolicyFile;
  remove(): void;
}

/** What a change that is not taken, or not yet, is told as. */
const told: ReadonlySet<string> = new Set(['policy_invalid', 'ledger_unavailable', 'overloaded']);

export function isTold(error: unknown): boolean {
  return error instanceof HoldpointError && told.has(error.code);
}

export function createRulesFile(): RulesFile {
  const dir = mkdtempSync(join(tmpdir(), 'holdpoint-history-'));
  const file = join(dir, 'policy.yaml');
  let current: PolicyName = startsWith;
  let lastLoaded: LoadedName = startsWith;
  const write = (name: PolicyName): void => {
    writeFileSync(`${file}.new`, textOf(name));
    renameSync(`${file}.new`, file);
    current = name;
    if (name !== 'broken') lastLoaded = name;
  };
  write(startsWith);
  return {
    write,
    name: () => current,
    lastLoaded: () => lastLoaded,
    open: (onError) => openPolicyFile(file, roleBook.rulers, logTo(onError), loadOnce),
    remove: () => rmSync(dir, { recursive: true }),
  };
}

function logTo(onError: (error: unknown) => void): Logger {
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (_event, error) => {
      if (!isTold(error)) onError(error);
    },
  };
}

const loaded = new Map<string, Policy>();

/** A policy never changes: compiling the same few thousands of times would take a third of all time here. */
function loadOnce(file: string, text: string, rulers?: readonly string[]): Policy {
  const policy = loaded.get(text) ?? loadPolicy(file, text, rulers);
  loaded.set(text, policy);
  return policy;
}
