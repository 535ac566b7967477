/** `holdpoint ledger export` and `export-tiles`: the whole ledger for others to read, also while a sidecar runs. */
import { existsSync, readdirSync, renameSync, statSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { defaultConfigFile, loadConfig } from '../config/load.ts';
import { HoldpointError, refusalOf } from '../core/errors.ts';
import { exportStream, exportTiles } from '../ledger/export.ts';
import type { RecordStore } from '../ledger/store.ts';
import { type ApartFile, writeApart } from '../store/apart-file.ts';
import { openLedgerCopy } from '../store/ledger-copy.ts';
import type { LevelCopy } from '../store/level.ts';
import { syncDirectory } from '../store/whole-file.ts';
import { type Command, type Environment, exitCodes } from './command.ts';
import { type Options, onlyArgument, readArguments } from './options.ts';
import { printJson, printLine, visible } from './print.ts';

/** How often reading starts over because a running sidecar moved its tables. */
const attemptsMax = 5;

export const exportCommand: Command = {
  name: 'ledger export',
  usage: 'FILE [--config FILE] [--json]',
  summary: 'all records as one file that `verify` and other tools read; bodies stay encrypted',
  run: async (args, env) => {
    const options = readArguments(args, ['config'], ['json']);
    const file = onlyArgument(options, 'file');
    if (existsSync(file)) throw new HoldpointError('usage', `${file} exists.`, 'Name a file that does not.');
    const made: ApartFile[] = [];
    try {
      await withCopy(options, env, async (store) => {
        made.push(await writeApart(file, exportStream(store)));
      });
      if (made.at(-1)?.takePlace() === false)
        throw new HoldpointError('overloaded', `Another export is written to ${file}.`, 'Name another file.');
      syncDirectory(dirname(resolve(file)));
    } catch (error) {
      throw writable(error, file);
    } finally {
      // Those that a moving ledger spoiled are removed.
      for (const one of made) await one.close();
    }
    if (options.flag('json')) printJson({ file });
    else
      printLine(
        `Exported to ${visible(file)}. Verify it with: holdpoint verify ${visible(file)} --trust KEY`,
      );
    return exitCodes.ok;
  },
};

export const exportTilesCommand: Command = {
  name: 'ledger export-tiles',
  usage: 'DIR [--config FILE] [--json]',
  summary: 'checkpoint, tiles and entries as a static C2SP tlog-tiles directory, for tools that are not ours',
  run: async (args, env) => {
    const options = readArguments(args, ['config'], ['json']);
    const dir = onlyArgument(options, 'directory');
    const found = statSync(dir, { throwIfNoEntry: false });
    if (found?.isDirectory() === false)
      throw new HoldpointError('usage', `${dir} is a file.`, 'Name an empty directory, or a new one.');
    if (found !== undefined && readdirSync(dir).length > 0)
      throw new HoldpointError('usage', `${dir} is not empty.`, 'Name a directory that is, or a new one.');
    const partial = `${dir.replace(/\/+$/, '')}.partial`;
    let files = 0;
    try {
      await withCopy(options, env, async (store) => {
        await rm(partial, { recursive: true, force: true });
        files = await writeTiles(store, partial);
      });
      await rm(dir, { recursive: true, force: true });
      renameSync(partial, dir);
    } catch (error) {
      await rm(partial, { recursive: true, force: true });
      throw writable(error, dir);
    }
    if (options.flag('json')) printJson({ directory: dir, files });
    else printLine(`Exported ${files} files to ${visible(dir)}.`);
    return exitCodes.ok;
  },
};

async function writeTiles(store: RecordStore, dir: string): Promise<number> {
  let files = 0;
  for await (const { path, bytes } of exportTiles(store)) {
    const file = join(dir, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, bytes, { mode: 0o600 });
    files += 1;
  }
  return files;
}

/** Reads a copy of the ledger; starts over where a running sidecar moved its tables meanwhile. */
export async function withCopy(
  options: Options,
  env: Environment,
  read: (store: LevelCopy) => Promise<void>,
): Promise<void> {
  const { paths } = loadConfig(options.text('config') ?? defaultConfigFile, env);
  if (!existsSync(paths.ledgerDir)) {
    throw new HoldpointError(
      'usage',
      `There is no ledger in ${paths.ledgerDir} yet.`,
      'It is begun on the first start: holdpoint run --config FILE.',
    );
  }
  for (let attempt = 1; ; attempt += 1) {
    const store = await openLedgerCopy(paths.ledgerDir);
    try {
      let failure: unknown = null;
      await read(store).catch((error: unknown) => {
        failure = error;
      });
      if (await store.isWhole()) {
        if (failure !== null) throw failure;
        return;
      }
      if (attempt >= attemptsMax)
        throw new HoldpointError('overloaded', 'The ledger moves too fast to copy.');
    } finally {
      await store.close();
    }
  }
}

/** What the disk refused is a matter of what was typed, not of the ledger. */
export function writable(error: unknown, path: string): unknown {
  if (error instanceof HoldpointError || !(error instanceof Error) || !('syscall' in error)) return error;
  return new HoldpointError(
    'usage',
    `${path} cannot be written: ${refusalOf(error)}.`,
    'code' in error && error.code === 'ENOSPC'
      ? 'Free space there, or name another place.'
      : 'Name one that this user may write.',
    error,
  );
}
