/** `holdpoint ledger …`: the running sidecar's checkpoint and entries, proofs, and exports of the whole. */
import { z } from 'zod';
import { clientOptions, controlClient } from './client.ts';
import { type Command, exitCodes } from './command.ts';
import { backupCommand, restoreCommand } from './ledger-backup.ts';
import { exportCommand, exportTilesCommand } from './ledger-export.ts';
import { fsckCommand } from './ledger-fsck.ts';
import { proveCommand, verifyProofCommand } from './ledger-proof.ts';
import { verifierCommand } from './ledger-verifier.ts';
import { entryNumber, noEntry, readArguments, readOptions } from './options.ts';
import { printJson, printLine, visibleLines } from './print.ts';

const checkpointSchema = z.object({ note: z.string() });
const entriesSchema = z.object({ items: z.array(z.json()) });

export const ledgerCommands: readonly Command[] = [
  {
    name: 'ledger checkpoint',
    usage: '[--json]',
    summary: 'the signed note over everything sealed so far; keep it, and verify against it later',
    run: async (args, env) => {
      const options = readOptions(args, clientOptions, ['json']);
      const answer = await controlClient(options, env).get('/api/v1/ledger/checkpoint');
      if (options.flag('json')) printJson(answer);
      else printLine(visibleLines(checkpointSchema.parse(answer).note).replace(/\n$/, ''));
      return exitCodes.ok;
    },
  },
  {
    name: 'ledger entry',
    usage: 'SEQ [--json]',
    summary: 'one sealed entry',
    run: async (args, env) => {
      const options = readArguments(args, clientOptions, ['json']);
      const seq = entryNumber(options);
      const answer = await controlClient(options, env).get(`/api/v1/ledger/entries?from=${seq}&limit=1`);
      const [entry] = entriesSchema.parse(answer).items;
      if (entry === undefined) throw noEntry(seq);
      printJson(entry);
      return exitCodes.ok;
    },
  },
  proveCommand,
  verifyProofCommand,
  exportCommand,
  exportTilesCommand,
  verifierCommand,
  fsckCommand,
  backupCommand,
  restoreCommand,
];
