/** Private keys in IndexedDB, as objects that no script can read the bytes of: one for each person on this origin. */

export interface BrowserKey {
  readonly name: string;
  /** Base64 of 32 bytes. */
  readonly publicKey: string;
  /** Not extractable. */
  readonly privateKey: CryptoKey;
}

const databaseName = 'holdpoint';
const storeName = 'reviewer-keys';

/** The key of a person; null where this browser has none. */
export async function keptKey(name: string): Promise<BrowserKey | null> {
  const kept: unknown = await inStore('readonly', (store) => store.get(name));
  return isBrowserKey(kept) ? kept : null;
}

/** Durable when it resolves; an earlier key of the same person is gone then. */
export async function keepKey(key: BrowserKey): Promise<void> {
  await inStore('readwrite', (store) => store.put(key));
}

async function inStore<T>(
  mode: IDBTransactionMode,
  ask: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const database = await opened();
  try {
    const transaction = database.transaction(storeName, mode, { durability: 'strict' });
    const request = ask(transaction.objectStore(storeName));
    return await new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error ?? new Error('The browser kept no key.'));
    });
  } finally {
    database.close();
  }
}

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(databaseName, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(storeName, { keyPath: 'name' });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('The browser opens no store for keys.'));
  });
}

function isBrowserKey(value: unknown): value is BrowserKey {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    typeof value.name === 'string' &&
    'publicKey' in value &&
    typeof value.publicKey === 'string' &&
    'privateKey' in value &&
    value.privateKey instanceof CryptoKey
  );
}
