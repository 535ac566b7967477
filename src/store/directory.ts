/**
 * Directories that only this user enters. Node's own recursive mkdir never returns where the system says that a parent is
 * missing and it is there: below a file system that makes nothing, or a link that leads nowhere.
 */
import { lstatSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { HoldpointError, refusalOf } from '../core/errors.ts';
import { syncDirectory } from './whole-file.ts';

/**
 * Makes `directory` and what is missing above it, mode 0700, on disk when it returns; one that is there is left as it is.
 * Throws `config_invalid`.
 */
export function makePrivateDirectory(directory: string): void {
  const path = resolve(directory);
  try {
    makeBelow(path);
  } catch (error) {
    throw new HoldpointError(
      'config_invalid',
      `The directory ${path} cannot be made: ${reasonOf(error)}.`,
      'Name another place in the configuration, such as with data.dir, or make it one where this user may write.',
      error,
    );
  }
}

/** As deep as the path is: each parent is tried once. */
function makeBelow(path: string): void {
  const above = dirname(path);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (isDirectory(path)) return;
    if (codeOf(error) !== 'ENOENT' || above === path || isThere(above)) throw error;
    makeBelow(above);
    mkdirSync(path, { mode: 0o700 });
  }
  syncNames(above);
}

/** What is written into a directory is only there after a power failure when its name is. */
function syncNames(above: string): void {
  try {
    syncDirectory(above);
  } catch (error) {
    // Who may add to a directory need not be allowed to read it, and without that it cannot be synced.
    if (codeOf(error) !== 'EACCES') throw error;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Links count, wherever they lead. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

const reasons: ReadonlyMap<unknown, string> = new Map([
  ['EEXIST', 'there is something of this name that is no directory'],
  ['ENOTDIR', 'a part of the path is a file'],
  ['ENOENT', 'what should hold it leads nowhere, or takes no directories'],
  ['EACCES', 'this user may not write there'],
  ['EPERM', 'this user may not write there'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'there is no space left'],
]);

function reasonOf(error: unknown): string {
  return reasons.get(codeOf(error)) ?? refusalOf(error);
}
