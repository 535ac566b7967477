/** `holdpoint ledger fsck`: the files of a ledger, checksum by checksum; what its entries say is for `verify`. */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { defaultConfigFile, loadConfig } from '../config/load.ts';
import { counted } from '../console/words/counts.ts';
import { HoldpointError } from '../core/errors.ts';
import { requireNoCutOffRepair, undoCutOffRepair } from '../store/cut-off-repair.ts';
import { fsck } from '../store/fsck.ts';
import { repair } from '../store/repair.ts';
import { type Command, exitCodes } from './command.ts';
import { readOptions } from './options.ts';
import { printJson, printLine, visible } from './print.ts';

export const fsckCommand: Command = {
  name: 'ledger fsck',
  usage: '[--config FILE] [--repair] [--json]',
  summary: 'check every frame, table and reference of the ledger; --repair makes again only what is derived',
  run: async (args, env) => {
    const options = readOptions(args, ['config'], ['repair', 'json']);
    const { paths } = loadConfig(options.text('config') ?? defaultConfigFile, env);
    const isRepair = options.flag('repair');
    const undone = isRepair ? await undoCutOffRepair(paths) : null;
    requireNoCutOffRepair(paths.ledgerDir);
    if (statSync(paths.ledgerDir, { throwIfNoEntry: false })?.isDirectory() !== true)
      throw new HoldpointError('usage', `There is no ledger in ${paths.ledgerDir}.`, 'Check data.dir.');
    const before = await fsck(paths);
    const done = undone === null ? [] : [undone];
    if (isRepair) done.push(...(await repair(paths, before)));
    const report = done.length === 0 ? before : await fsck(paths);
    const isWhole = report.findings.every(({ kind }) => kind === 'note');
    if (options.flag('json')) printJson({ ok: isWhole, ...report, found: before.findings, done });
    else {
      for (const { kind, file, byte, message } of before.findings)
        printLine(`${kind}: ${visible(file)}${byte < 0 ? '' : ` at byte ${byte}`}: ${visible(message)}`);
      for (const what of done) printLine(`repaired: ${visible(what)}`);
      const { segments, frames, tables, entries, bodies } = report;
      const counts = [
        counted(segments, 'segment', 'segments'),
        counted(frames, 'frame', 'frames'),
        counted(tables, 'table', 'tables'),
        counted(entries, 'entry', 'entries'),
        counted(bodies, 'body', 'bodies'),
      ];
      printLine(`${isWhole ? 'WHOLE' : 'DAMAGED'}  ${counts.join(', ')}`);
      if (report.findings.some(({ kind }) => kind === 'damage'))
        printLine(
          `next: \`holdpoint verify ${visible(dirname(paths.ledgerDir))}\` says whether anything is lost. If it is intact, \`holdpoint ledger backup\` takes all of it, and what \`holdpoint ledger restore\` makes of that is sound; if not, restore an earlier backup.`,
        );
      if (report.findings.some(({ kind }) => kind === 'derived'))
        printLine(
          'next: `holdpoint ledger fsck --repair`, with the sidecar stopped, makes what is derived again.',
        );
    }
    return isWhole ? exitCodes.ok : exitCodes.finding;
  },
};
