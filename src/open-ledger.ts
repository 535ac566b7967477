/** Opens the ledger that a configuration names, with its keys: for the sidecar, and for commands on one that is stopped. */
import type { LoadedConfig } from './config/load.ts';
import { sha256Hex } from './core/bytes.ts';
import { type Clock, systemRandom } from './core/clock.ts';
import { recoveredOutcome } from './hold/record.ts';
import { type Ledger, openLedger } from './ledger/ledger.ts';
import type { LedgerEvent } from './ledger/ledger-options.ts';
import type { LedgerStore, RecordStore } from './ledger/store.ts';
import { requireNoCutOffRepair } from './store/cut-off-repair.ts';
import { makePrivateDirectory } from './store/directory.ts';
import { openHighWater } from './store/high-water.ts';
import { type OpenedKeys, openKeys } from './store/key-source.ts';
import { createKeyring, type Keyring } from './store/keyring.ts';
import { isBegun, openLevelCache } from './store/level.ts';
import { readRestored, removeRestored } from './store/restored.ts';
import { takeTokensOut } from './store/restored-tokens.ts';
import { removeStaging } from './store/staging.ts';
import { startTailBytes } from './store/start-checks.ts';
import { product } from './version.ts';

export interface LedgerPlace {
  readonly clock: Clock;
  readonly openLedgerStore: (dir: string) => Promise<LedgerStore>;
  /** A copy of it below `under`, for a look before it is opened; absent where there is nothing to copy. */
  readonly openLedgerCopy?: (dir: string, under: string) => Promise<RecordStore>;
}

function copyOf(open: NonNullable<LedgerPlace['openLedgerCopy']>, { paths, data }: LoadedConfig) {
  // Beside the ledger: nothing else is sure to be writable.
  return async () => ((await isBegun(paths.ledgerDir)) ? open(paths.ledgerDir, data.dir) : null);
}

export interface ConfiguredLedger {
  readonly ledger: Ledger;
  readonly keys: OpenedKeys;
  readonly keyring: Keyring;
  /** Seals `stop`, waits for `lastly`, and lets everything go. */
  close(reason: string, lastly?: () => Promise<void>): Promise<void>;
}

/** Rejects as `openLedger` does, and with `config_invalid` for keys that are missing or none. */
export async function openConfiguredLedger(
  config: LoadedConfig,
  place: LedgerPlace,
  policyDigest: string,
  onEvent: (event: LedgerEvent) => void,
): Promise<ConfiguredLedger> {
  const { paths } = config;
  makePrivateDirectory(config.data.dir);
  requireNoCutOffRepair(paths.ledgerDir);
  const highWater = openHighWater(paths.highWater);
  // A volume of its own may be there before: what is to lie in it is known by the mark.
  const firstStart = !(await isBegun(paths.ledgerDir));
  const keys = await openKeys({ ...config.keys, dir: paths.keysDir }, firstStart, systemRandom);
  const restored = readRestored(paths.restored);
  const ledger = await openLedger({
    openStore: () => place.openLedgerStore(paths.ledgerDir),
    ...(place.openLedgerCopy === undefined ? {} : { openCopy: copyOf(place.openLedgerCopy, config) }),
    restored,
    openIndexStore: () => openLevelCache(paths.indexDir),
    highWater,
    ...keys,
    ...(config.keys.escrow === undefined ? {} : { escrow: Buffer.from(config.keys.escrow, 'base64') }),
    durability: config.data.durability,
    clock: place.clock,
    random: systemRandom,
    tailBytesMin: startTailBytes,
    product,
    startData: {
      config: sha256Hex(config.source),
      node: process.version,
      policy: policyDigest,
      product,
      ...(config.control.rulings === 'signed' ? { rulings: 'signed' } : {}),
      ...(config.control.people.length === 0 ? {} : { people: config.control.people }),
    },
    recoveredOutcome,
    onEvent,
  });
  // Sealed: the ledger says it itself from now on.
  if (restored !== null) removeRestored(paths.restored);
  const close = async (reason: string, lastly?: () => Promise<void>): Promise<void> => {
    await ledger.close(reason, lastly);
    highWater.close();
  };
  try {
    removeStaging(paths.ledgerDir);
    takeTokensOut(paths.ledgerDir, paths.tokens);
    const onUnfinished = (error: unknown): void => onEvent({ kind: 'retirement_failed', error });
    const keyring = createKeyring({ ...keys, ledger, random: systemRandom, onUnfinished });
    return { ledger, keys, keyring, close };
  } catch (error) {
    await close('could not start');
    throw error;
  }
}
