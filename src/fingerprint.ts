/** Credentials as records know them: keyed, short, and the same for the same secret. */
import { createHmac } from 'node:crypto';

const cacheMax = 4096;

/** HMAC-SHA-256 under `key`, 16 hex. A workload sends the same few credentials with every call. */
export function cachedFingerprint(key: Buffer): (secret: string) => string {
  const known = new Map<string, string>();
  return (secret) => {
    const kept = known.get(secret);
    if (kept !== undefined) return kept;
    const made = createHmac('sha256', key).update(secret).digest('hex').slice(0, 16);
    if (known.size >= cacheMax) known.clear();
    known.set(secret, made);
    return made;
  };
}
