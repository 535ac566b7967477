/** `holdpoint ledger backup` and `restore`: a copy to come back from, and coming back without hiding it. */
import { existsSync, readFileSync, realpathSync, unlinkSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { defaultConfigFile, type LoadedConfig, loadConfig } from '../config/load.ts';
import { counted } from '../console/words/counts.ts';
import { systemClock, systemRandom } from '../core/clock.ts';
import { HoldpointError } from '../core/errors.ts';
import { signerOf } from '../ledger/checkpoint.ts';
import { readKeyChain } from '../ledger/key-chain.ts';
import { parseCheckpoint } from '../ledger/verify/note.ts';
import { isRefusal } from '../ledger/verify/reasons.ts';
import type { Verdict } from '../ledger/verify/verify.ts';
import { type Backup, readBackup, takeBackup, verifyBackup } from '../store/backup.ts';
import { type OpenedKeys, openKeys } from '../store/key-source.ts';
import { openLedgerCopy } from '../store/ledger-copy.ts';
import { lossBy } from '../store/loss.ts';
import { requireNoLedger, restoreBackup } from '../store/restore.ts';
import { listTokens } from '../store/token-file.ts';
import { readTrust } from '../store/trust.ts';
import { syncDirectory, writeWholeFile } from '../store/whole-file.ts';
import { type Command, exitCodes } from './command.ts';
import { withCopy, writable } from './ledger-export.ts';
import { onlyArgument, readArguments } from './options.ts';
import { printJson, printLine, visible } from './print.ts';

const tokensFile = 'tokens.json';

export const backupCommand: Command = {
  name: 'ledger backup',
  usage: 'DIR [--config FILE] [--tokens] [--json]',
  summary:
    'copy the ledger, also while the sidecar runs; into the same DIR again: only what was sealed since',
  run: async (args, env) => {
    const options = readArguments(args, ['config'], ['tokens', 'json']);
    const dir = onlyArgument(options, 'directory');
    const { paths } = loadConfig(options.text('config') ?? defaultConfigFile, env);
    requireElsewhere(dir, dirname(paths.ledgerDir));
    const taken = new Date(systemClock.nowMs()).toISOString();
    let backup: Backup | null = null;
    try {
      await withCopy(options, env, async (store) => {
        const key = (await readKeyChain(store)).at(-1)?.key ?? '';
        const facts = { origin: key.split('+')[0] ?? '', key, taken };
        backup = await takeBackup(store, dir, facts, () => openLedgerCopy(paths.ledgerDir));
      });
      putTokens(dir, options.flag('tokens') ? paths.tokens : null);
    } catch (error) {
      throw writable(error, dir);
    }
    const made = backup ?? readBackup(dir);
    const { verdict, defects } = await verifyBackup(made, {});
    const ok = verdict.ok && defects.length === 0;
    const { size, root } = made.manifest;
    if (options.flag('json')) printJson({ directory: dir, id: made.id, size, root, taken, ok, defects });
    else if (ok)
      printLine(
        `Backed up ${counted(size, 'entry', 'entries')} to ${visible(dir)}, root ${root}. Keys are not in it.`,
      );
    if (!ok) printDefects(dir, verdict, defects);
    return ok ? exitCodes.ok : exitCodes.finding;
  },
};

/** Those of an earlier time do not stay beside a ledger that went on: what was revoked since would count again. */
function putTokens(dir: string, from: string | null): void {
  const to = join(dir, tokensFile);
  if (from !== null && existsSync(from)) writeWholeFile(to, readFileSync(from));
  else if (existsSync(to)) {
    unlinkSync(to);
    syncDirectory(dir);
  }
}

/** Throws `usage` for a copy within what it is a copy of: what takes the one takes the other, a repair or a restore too. */
function requireElsewhere(dir: string, dataDir: string): void {
  const within = relative(realOf(dataDir), realOf(dir));
  if (within === '..' || within.startsWith(`..${sep}`) || isAbsolute(within)) return;
  throw new HoldpointError(
    'usage',
    `${dir} is in the data directory ${dataDir}: what takes that would take the backup too.`,
    'Name a directory outside it, on another disk where there is one.',
  );
}

/** Where a path leads that need not be there yet. */
function realOf(path: string): string {
  const whole = resolve(path);
  if (existsSync(whole) || dirname(whole) === whole) return realpathSync(whole);
  return join(realOf(dirname(whole)), basename(whole));
}

export const restoreCommand: Command = {
  name: 'ledger restore',
  usage: 'BACKUP [--config FILE] [--trust KEY_OR_FILE] [--accept-loss] [--json]',
  summary:
    'verify a backup and make the configured data directory from it; the ledger itself says that it was',
  run: async (args, env) => {
    const options = readArguments(args, ['config', 'trust'], ['accept-loss', 'json']);
    const backup = readBackup(onlyArgument(options, 'backup'));
    const config = loadConfig(options.text('config') ?? defaultConfigFile, env);
    const { paths } = config;
    requireNoLedger(paths);
    const { kek, retiredKeks } = await requireKeys(backup, config);
    const trust = options.text('trust');
    const { verdict, defects } = await verifyBackup(backup, {
      trustedKeys: trust === undefined ? [backup.manifest.key] : readTrust(trust),
      // Bodies of earlier epochs are still under theirs.
      openBody: [kek, ...retiredKeks].map(({ key }) => new Uint8Array(key)),
    });
    if (!verdict.ok || defects.length > 0) {
      printDefects(backup.dir, verdict, defects);
      return exitCodes.finding;
    }
    if (!options.flag('accept-loss')) await requireNoLoss(backup, paths);
    const tokens = join(backup.dir, tokensFile);
    const takesTokens = existsSync(tokens) && !existsSync(paths.tokens);
    const restored = await restoreBackup(backup, paths, existsSync(tokens) ? tokens : null).catch(
      (error: unknown) => {
        throw writable(error, paths.ledgerDir);
      },
    );
    if (options.flag('json')) printJson(restored);
    else {
      printLine(
        `Restored ${counted(restored.size, 'entry', 'entries')}, taken ${restored.taken}. ${lossText(restored.lost)}`,
      );
      printLine('The next start seals that it was restored, and ends every decision that was open.');
      if (takesTokens) printTokens(paths.tokens);
    }
    return exitCodes.ok;
  },
};

/** The ledger does not vouch for them: whoever could write to the backup could put one in. */
function printTokens(file: string): void {
  const inForce = listTokens(file).filter(({ revoked }) => revoked === undefined);
  const whose = inForce.map(({ name, role }) => `${visible(name)} (${role})`).join(', ');
  printLine(`Tokens that came with it, and let in: ${whose || 'none'}.`);
  printLine(
    'No signature covers them. End each that should not be there with `holdpoint token revoke NAME`.',
  );
}

/** A ledger that its keys do not fit could not go on: the last to sign the backup's checkpoint is the one in use. */
async function requireKeys(
  { manifest }: Backup,
  { keys: settings, paths }: LoadedConfig,
): Promise<OpenedKeys> {
  const keys = await openKeys({ ...settings, dir: paths.keysDir }, false, systemRandom);
  const { signingKey, otherSigningKeys, nextSigningKey } = keys;
  // Between the two a rotation may have stood still: whichever the ledger asks for is the one.
  const signing = [
    signingKey,
    ...otherSigningKeys,
    ...(nextSigningKey === undefined ? [] : [nextSigningKey]),
  ];
  const note = parseCheckpoint(Buffer.from(manifest.note));
  const inUse = isRefusal(note) ? undefined : note.signatures.at(-1)?.keyHash;
  if (signing.some((key) => signerOf(manifest.origin, key).kid === inUse)) return keys;
  throw new HoldpointError(
    'config_invalid',
    `The signing.pem in ${paths.keysDir}, or whatever keys.signing names, is not the one that the backup was last sealed under.`,
    'Put the signing.pem and kek.key of the backed-up ledger there first: they are in no backup of ours.',
  );
}

async function requireNoLoss(backup: Backup, paths: LoadedConfig['paths']): Promise<void> {
  const { size } = backup.manifest;
  const { lost, isFork } = await lossBy(backup, paths);
  if (lost === 0) return;
  if (isFork)
    throw new HoldpointError(
      'ledger_rolled_back',
      `The backup has ${size} entries, but another root than the high-water mark remembers: it does not have all of the ${lost} entries that were sealed here.`,
      'It is of another ledger, or of one that was restored meanwhile. Restore a backup of the one that was here, or give --accept-loss: the ledger will then say that all of them are gone.',
    );
  throw new HoldpointError(
    'ledger_rolled_back',
    `The backup has ${size} entries; the high-water mark knows of ${lost} more, which would be lost.`,
    'Restore a newer backup, or give --accept-loss: the ledger will then say that they are gone.',
  );
}

function lossText(lost: number): string {
  return lost === 0 ? 'No later entry is known of.' : `${lost} later entries are lost.`;
}

function printDefects(dir: string, { findings }: Verdict, defects: readonly string[]): void {
  for (const defect of defects) process.stderr.write(`FAIL ${visible(dir)}: ${visible(defect)}\n`);
  for (const { code, seq, message } of findings)
    process.stderr.write(`FAIL ${code}${seq < 0 ? '' : ` at entry ${seq}`}: ${visible(message)}\n`);
}
