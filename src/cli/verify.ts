/** `holdpoint verify`: the offline verdict on a data directory, an export or a backup, for people and for scripts. */
import { statSync } from 'node:fs';
import { countText } from '../console/words/counts.ts';
import { HoldpointError } from '../core/errors.ts';
import { createNativePrimitives } from '../ledger/native-primitives.ts';
import type { Finding } from '../ledger/verify/reasons.ts';
import type { Verdict } from '../ledger/verify/verify.ts';
import { isBackup } from '../store/backup.ts';
import { readFileOrThrow, readWitnesses } from '../store/trust.ts';
import { verifyDirectory } from '../store/verify-directory.ts';
import { adviceOn } from '../verifier-page/advice.ts';
import { type Command, exitCodes } from './command.ts';
import { onlyArgument, readArguments } from './options.ts';
import { printJson, printLine, visible } from './print.ts';
import { verifyBackup, verifyExport } from './verify-export.ts';
import { refuseNoCheckpoint, refuseTextAsExport } from './wrong-file.ts';

export const verifyCommand: Command = {
  name: 'verify',
  usage:
    'PATH [--trust KEY_OR_FILE] [--checkpoint FILE] [--witness KEY_OR_FILE]... [--anchor FILE]... [--keys DIR] [--escrow-key FILE] [--every-signature] [--portable] [--json]',
  summary:
    'verify a data directory, a directory of `ledger backup` or a file of `ledger export`, offline; exit 1 names the first bad entry and a reason code',
  run: async (args) => {
    const options = readArguments(
      args,
      ['trust', 'checkpoint', 'keys', 'escrow-key'],
      ['json', 'every-signature', 'portable'],
      ['witness', 'anchor'],
    );
    const path = onlyArgument(options, 'data directory, backup or export');
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined)
      throw new HoldpointError(
        'usage',
        `There is nothing at ${path}.`,
        'Name a data directory, as data.dir does, a backup or an export.',
      );
    const isFile = found.isFile();
    if (isFile) await refuseTextAsExport(path);
    const checkpoint = options.text('checkpoint');
    if (checkpoint !== undefined) refuseNoCheckpoint(checkpoint, readFileOrThrow(checkpoint));
    const verify = isFile ? verifyExport : isBackup(path) ? verifyBackup : verifyDirectory;
    const verdict = await verify(path, {
      trust: options.text('trust'),
      checkpoint,
      keys: options.text('keys'),
      escrowKey: options.text('escrow-key'),
      everySignature: options.flag('every-signature'),
      ...(options.flag('portable') ? {} : { primitives: createNativePrimitives() }),
      witnesses: readWitnesses(options.list('witness')),
      anchors: options.list('anchor').map((file) => readFileOrThrow(file).toString('utf8')),
    });
    if (options.flag('json')) printJson(verdict);
    else printVerdict(path, verdict, verify === verifyDirectory);
    return verdict.ok ? exitCodes.ok : exitCodes.finding;
  },
};

function printVerdict(path: string, verdict: Verdict, isDirectory: boolean): void {
  const { decisions, bodies, findings } = verdict;
  printLine(
    `${verdict.ok ? 'INTACT' : 'NOT INTACT'}  ${visible(path)}  assurance ${verdict.assurance}, key ${verdict.keyTrust}`,
  );
  printLine(
    `  entries    ${countText(verdict.size)}  from ${visible(verdict.firstAt || '-')} to ${visible(verdict.lastAt || '-')}`,
  );
  const reported = decisions.reported === 0 ? '' : `, ${countText(decisions.reported)} more only reported`;
  printLine(
    `  decisions  ${countText(decisions.total)}${reported}, ${countText(decisions.open)} open${outcomesText(decisions.byOutcome)}`,
  );
  printLine(
    `  bodies     ${countText(bodies.stored)} stored, ${countText(bodies.checked)} checked, ${countText(bodies.opened)} opened, ${countText(bodies.erased)} erased`,
  );
  printLine(`  durability ${visible(verdict.durability)}`);
  printLine(`  root       ${visible(verdict.root || '-')}`);
  printLine(`  key        ${visible(verdict.key || '-')}`);
  for (const { key, from, revokedTo } of verdict.keys.slice(0, -1)) {
    const revoked = revokedTo === undefined ? '' : `, revoked down to ${revokedTo}`;
    printLine(`  former key ${visible(key)}  from ${from} entries${revoked}`);
  }
  printFindings(findings, isDirectory);
  for (const note of verdict.notes) printLine(`note: ${visible(note)}`);
}

/** A directory has files to look at, where of an export that was sent another copy is asked for. */
const ofDirectory =
  '`holdpoint ledger fsck` names what is damaged; its --repair, with the sidecar stopped, makes LevelDB again where the journal has every entry. Where it has not, keep the directory as it is and restore a backup.';

/** Of one code; what was done once to many entries is told once. `--json` has all. */
const listedOfCodeMax = 3;

/** Each code's first findings, and what to do about the first, which is the cause. */
function printFindings(findings: readonly Finding[], isDirectory: boolean): void {
  for (const [code, ofCode] of Map.groupBy(findings, (finding) => finding.code)) {
    for (const { seq, message } of ofCode.slice(0, listedOfCodeMax))
      printLine(`FAIL ${code}${seq < 0 ? '' : ` at entry ${seq}`}: ${visible(message)}`);
    const more = ofCode.length - listedOfCodeMax;
    const last = ofCode.at(-1)?.seq ?? -1;
    if (more > 0)
      printLine(
        `FAIL ${code}: ${countText(more)} more${last < 0 ? '' : `, to entry ${last}`}; --json lists them`,
      );
  }
  const [first] = findings;
  if (first === undefined) return;
  const advice = first.code === 'store_unreadable' && isDirectory ? ofDirectory : adviceOn(first.code);
  printLine(`next: ${advice}`);
}

function outcomesText(byOutcome: Verdict['decisions']['byOutcome']): string {
  const seen = Object.entries(byOutcome).filter(([, count]) => count > 0);
  return seen.length === 0
    ? ''
    : `: ${seen.map(([outcome, count]) => `${countText(count)} ${outcome}`).join(', ')}`;
}
