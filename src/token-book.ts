/**
 * Who may use the control port: the tokens in their file, each honoured only once its grant is in the ledger. The command
 * line writes the file, also while this runs; what is new there is sealed at the start, when it changes and at the
 * latest when the token is first used.
 */
import { HoldpointError, messageOf } from './core/errors.ts';
import { createInTurn } from './core/in-turn.ts';
import type { Ledger } from './ledger/ledger.ts';
import { grantKey, type TokenGrant } from './ledger/token-grants.ts';
import { type Identity, openTokenFile, type StoredToken, type TokensNow } from './store/token-file.ts';
import type { Logger } from './telemetry/logger.ts';

export interface TokenBook {
  /**
   * Whom the token of a hash belongs to, once that is sealed; null for none. Rejects with `ledger_unavailable` while a
   * new one cannot be, and with `internal`, as all that is asked here, while the file cannot be read.
   */
  lookUp(hash: string): Promise<Identity | null>;
  /** The same of a token that was looked up before; null where its grant is not sealed. */
  standing(hash: string): Identity | null;
  /** The role of whoever has a token of this name now, null where nobody has; names are used once. */
  roleOf(name: string): string | null;
  close(): void;
}

const lookEveryMs = 1_000;
const hashCharacters = 16;

/** Opens the book and seals what is new in the file; what cannot be sealed now is tried again, and not honoured before. */
export async function openTokenBook(file: string, ledger: Ledger, log: Logger): Promise<TokenBook> {
  const { read } = openTokenFile(file);
  const inTurn = createInTurn();
  let timer: NodeJS.Timeout | undefined;
  let lastFailure = '';
  let isOpen = true;
  /** Keys of the grants that the ledger has, and the tokens that were compared with it. */
  let sealed: ReadonlySet<string> = new Set();
  let compared: TokensNow | null = null;

  /** One that cannot be read is our failure, not the caller's: nobody is let in, the log says why, and they are not told. */
  function stored(): TokensNow {
    try {
      return read();
    } catch (error) {
      throw new HoldpointError('internal', messageOf(error), '', error);
    }
  }

  /** One at a time: what one sealed the next one finds sealed. */
  function sealNew(): Promise<void> {
    return inTurn(async () => {
      const current = stored();
      await sealChanges(current.all, ledger);
      sealed = new Set(ledger.tokenGrants().map(grantKey));
      compared = current;
    });
  }

  async function look(): Promise<void> {
    try {
      if (stored() !== compared) await sealNew();
      lastFailure = '';
    } catch (error) {
      // Looked at again in a moment; said once, not every time.
      if (messageOf(error) !== lastFailure)
        log.error('Tokens could not be sealed; new ones are refused', error);
      lastFailure = messageOf(error);
    }
  }

  function lookLater(): void {
    if (!isOpen) return;
    timer = setTimeout(() => look().finally(lookLater), lookEveryMs);
    timer.unref();
  }

  const isSealed = (one: StoredToken): boolean => sealed.has(grantKey(grantOf(one)));

  function standing(hash: string): Identity | null {
    const found = stored().standing.get(hash);
    return found === undefined || !isSealed(found) ? null : { name: found.name, role: found.role };
  }

  await look();
  lookLater();
  return {
    lookUp: async (hash) => {
      const found = stored().standing.get(hash);
      if (found !== undefined && !isSealed(found)) await sealNew();
      return standing(hash);
    },
    standing,
    roleOf: (name) =>
      stored().all.find((one) => one.name === name && one.revoked === undefined)?.role ?? null,
    close: () => {
      isOpen = false;
      clearTimeout(timer);
    },
  };
}

/** The fields of a grant; the hash is cut, because nobody needs all of it to tell which one it was. */
function grantOf({ name, role, hash }: StoredToken): Omit<TokenGrant, 'seq'> {
  return { name, role, hash: hash.slice(0, hashCharacters) };
}

/** Seals each grant that the ledger does not have, and the end of each that the file has no more. */
async function sealChanges(stored: readonly StoredToken[], ledger: Ledger): Promise<void> {
  const sealed = new Map(ledger.tokenGrants().map((grant) => [grantKey(grant), grant]));
  const standing = stored.filter(({ revoked }) => !revoked);
  const keys = new Set(standing.map((one) => grantKey(grantOf(one))));
  const durable: Promise<void>[] = [];
  for (const one of standing)
    if (!sealed.has(grantKey(grantOf(one)))) durable.push(seal('grant', grantOf(one), one.by ?? '', ledger));
  for (const [key, { name, role, hash }] of sealed) {
    if (keys.has(key)) continue;
    const ended = stored.find((one) => grantKey(grantOf(one)) === key);
    durable.push(seal('revoke', { name, role, hash }, ended?.revoked?.by ?? '', ledger));
  }
  await Promise.all(durable);
}

/** `by` is who ran the command, as the operating system names them; '' where the file does not say. */
function seal(
  action: 'grant' | 'revoke',
  { hash, name, role }: Omit<TokenGrant, 'seq'>,
  by: string,
  ledger: Ledger,
): Promise<void> {
  const data = { action, by, role: '', token: { hash, name, role } };
  return ledger.seal({ type: 'access', data }).durable;
}
