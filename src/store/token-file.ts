/** Control tokens, kept as hashes in one file that is replaced whole. The token itself is shown once and kept nowhere. */
import { closeSync, existsSync, fstatSync, openSync, readFileSync, statSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { sha256Hex } from '../core/bytes.ts';
import type { RandomBytes } from '../core/clock.ts';
import { HoldpointError, refusalOf } from '../core/errors.ts';
import { nobodys, roleNamePattern } from '../core/roles.ts';
import { makePrivateDirectory } from './directory.ts';
import { writeWholeFile } from './whole-file.ts';

export interface Identity {
  readonly name: string;
  /** Of the house or configured; a role that is not there any more may do nothing. */
  readonly role: string;
}

/** Every token begins so, which lets a leaked one be recognised. */
export const tokenPrefix = 'hp_';
const tokensMax = 10_000;
const lockWaitMsMax = 5_000;
const lockPollMs = 10;
const sleeper = new Int32Array(new SharedArrayBuffer(4));
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;

const fileSchema = z.strictObject({
  version: z.literal(1),
  tokens: z
    .array(
      z.strictObject({
        name: z.string().regex(namePattern),
        role: z.string().regex(roleNamePattern),
        /** SHA-256 of the token; it has 256 bits of its own, so no slow hash is needed. */
        hash: z.string().regex(/^[0-9a-f]{64}$/),
        created: z.string(),
        /** Who ran the command, as the operating system names them. */
        by: z.string().optional(),
        revoked: z.strictObject({ at: z.string(), by: z.string() }).optional(),
      }),
    )
    .max(tokensMax),
});
type TokenFile = z.output<typeof fileSchema>;

/**
 * Makes a token for a person, adds its hash to `file` and returns it. Durable when it returns.
 * Throws `usage` for a name that is not one, or that somebody has or had: what was ruled, lent and enrolled under a name
 * stays theirs.
 */
export function addToken(
  file: string,
  identity: Identity,
  nowMs: number,
  random: RandomBytes,
  by?: string,
): string {
  refuseName(identity.name);
  makePrivateDirectory(dirname(file));
  return withLock(`${file}.lock`, () => {
    const { tokens } = readTokens(file);
    refuseUsedName(identity.name, tokens);
    const { token, granted } = newToken(identity, nowMs, random, by);
    writeTokens(file, [...tokens, granted]);
    return token;
  });
}

/**
 * Makes another token for the person who has or had one of this name, and ends the one they have; with the role that was
 * theirs last where none is given. Durable when it returns. Throws `not_found`.
 */
export function replaceToken(
  file: string,
  { name, role }: { readonly name: string; readonly role: string | undefined },
  nowMs: number,
  random: RandomBytes,
  by: string,
): { readonly role: string; readonly token: string } {
  if (!existsSync(file)) throw noToken(name);
  return withLock(`${file}.lock`, () => {
    const { tokens } = readTokens(file);
    const last = tokens.findLast((one) => one.name === name);
    if (last === undefined) throw noToken(name);
    const identity = { name, role: role ?? last.role };
    const { token, granted } = newToken(identity, nowMs, random, by);
    writeTokens(file, [...ended(tokens, name, by, nowMs), granted]);
    return { role: identity.role, token };
  });
}

function refuseName(name: string): void {
  if (!namePattern.test(name))
    throw new HoldpointError(
      'usage',
      `${JSON.stringify(name)} is not a name for a token.`,
      'Use up to 64 letters, digits, dots, dashes, underscores or @.',
    );
  if (nobodys.includes(name.toLowerCase()))
    throw new HoldpointError(
      'usage',
      `${JSON.stringify(name)} is what the ledger calls somebody who is no person.`,
      'Use the name of whoever is to have the token.',
    );
}

/** In whatever case: people who read two names as one take two approvals for one person's, or one for two. */
function refuseUsedName(asked: string, tokens: readonly StoredToken[]): void {
  const used = tokens.findLast(({ name }) => name.toLowerCase() === asked.toLowerCase());
  if (used === undefined) return;
  const { name } = used;
  throw new HoldpointError(
    'usage',
    used.revoked === undefined
      ? `A token for ${name} exists already.`
      : `${name} had a token before, and what was ruled, lent and enrolled under that name is theirs.`,
    `Another token for the same person: holdpoint token replace ${name}. Another person needs another name.`,
  );
}

function newToken({ name, role }: Identity, nowMs: number, random: RandomBytes, by: string | undefined) {
  const token = tokenPrefix + random(32).toString('base64url');
  const entry = { name, role, hash: tokenHash(token), created: new Date(nowMs).toISOString() };
  return { token, granted: by === undefined ? entry : { ...entry, by } };
}

/** The tokens with the one of that name revoked. */
function ended(
  tokens: readonly StoredToken[],
  name: string,
  by: string,
  nowMs: number,
): readonly StoredToken[] {
  const revoked = { at: new Date(nowMs).toISOString(), by };
  return tokens.map((token) =>
    token.name === name && token.revoked === undefined ? { ...token, revoked } : token,
  );
}

function noToken(name: string): HoldpointError {
  return new HoldpointError('not_found', `There is no token for ${name}.`, 'See holdpoint token list.');
}

/** What a token is known by. */
export function tokenHash(token: string): string {
  return sha256Hex(token);
}

export type StoredToken = TokenFile['tokens'][number];

export interface TokensNow {
  readonly all: readonly StoredToken[];
  /**
   * Those that were not revoked, by their hashes. Whoever guesses chooses no hash, so that the time a look takes tells
   * nothing of a token; and it takes the same among ten thousand, for calls of nobody's too.
   */
  readonly standing: ReadonlyMap<string, StoredToken>;
}

/** Reads the tokens as they are now; the file may change while the sidecar runs, and is another object then. */
export function openTokenFile(file: string): { read(): TokensNow } {
  let known: TokensNow = { all: [], standing: new Map() };
  let stamp = '';
  return {
    read: () => {
      const now = stampOf(file);
      if (now !== stamp) {
        const { tokens } = readTokens(file);
        const standing = tokens.filter(({ revoked }) => revoked === undefined);
        known = { all: tokens, standing: new Map(standing.map((token) => [token.hash, token])) };
        stamp = now;
      }
      return known;
    },
  };
}

/** The tokens of a file, without what could be used as one. */
export function listTokens(file: string): readonly Omit<StoredToken, 'hash'>[] {
  return readTokens(file).tokens.map(({ hash: _, ...token }) => token);
}

/** Ends the token of that name. Durable when it returns. Throws `not_found`. */
export function revokeToken(file: string, name: string, by: string, nowMs: number): void {
  if (!existsSync(file)) throw noToken(name);
  withLock(`${file}.lock`, () => {
    const { tokens } = readTokens(file);
    if (!tokens.some((token) => token.name === name && token.revoked === undefined)) throw noToken(name);
    writeTokens(file, ended(tokens, name, by, nowMs));
  });
}

function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat === undefined ? 'none' : `${stat.ino}:${stat.mtimeMs}:${stat.size}`;
}

function readTokens(file: string): TokenFile {
  if (!existsSync(file)) return { version: 1, tokens: [] };
  try {
    return fileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new HoldpointError(
      'config_invalid',
      `The token file ${file} cannot be read: ${refusalOf(error)}.`,
      'Restore it, or remove it and make new tokens.',
      error,
    );
  }
}

function writeTokens(file: string, tokens: readonly StoredToken[]): void {
  // More could not be read again, and nobody would be let in.
  if (tokens.length > tokensMax)
    throw new HoldpointError(
      'usage',
      `${file} has ${tokensMax} tokens, which is the most.`,
      'Take revoked ones out of it: when each was granted and ended is in the ledger.',
    );
  try {
    writeWholeFile(file, `${JSON.stringify({ version: 1, tokens }, null, 2)}\n`);
  } catch (error) {
    throw new HoldpointError(
      'usage',
      `The token file ${file} cannot be written: ${refusalOf(error)}.`,
      'Make room on its disk, see with holdpoint token list what there is, and try again.',
      error,
    );
  }
}

/**
 * Runs `task` while this process alone holds the lock: two commands that add tokens at once must not lose one.
 * The lock is never broken by force, because its holder may be slow rather than dead; it is held for a moment.
 */
function withLock<T>(lock: string, task: () => T): T {
  const untilMs = Date.now() + lockWaitMsMax;
  let fd: number | null = null;
  while (fd === null) {
    fd = tryLock(lock);
    if (fd !== null) break;
    if (Date.now() > untilMs) {
      throw new HoldpointError(
        'usage',
        `Another command is changing the tokens: ${lock} exists.`,
        'Try again; if no other command runs, one was killed: remove that file.',
      );
    }
    Atomics.wait(sleeper, 0, 0, lockPollMs);
  }
  try {
    return task();
  } finally {
    // Somebody may have taken it away, as one that was left, and another command have its own there by now.
    if (statSync(lock, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino) unlinkSync(lock);
    closeSync(fd);
  }
}

/** Null while somebody else has it. */
function tryLock(lock: string): number | null {
  try {
    return openSync(lock, 'wx', 0o600);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return null;
    throw new HoldpointError(
      'usage',
      `${lock} cannot be made: ${refusalOf(error)}.`,
      'Run it as the user that the sidecar runs as.',
      error,
    );
  }
}
