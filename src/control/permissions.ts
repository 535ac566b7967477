/** Who reads content on the control port, and the sealed record that they did. */
import type { Ledger } from '../ledger/ledger.ts';
import type { Identity } from '../store/token-file.ts';
import { contentReaders } from './operation.ts';

/** Prompts, answers and tool arguments. A viewer sees that something is held, not what. */
export function mayReadContent(identity: Identity): boolean {
  return contentReaders.includes(identity.role);
}

/** Seals that somebody read content; durable before the content is sent. */
export async function sealAccess(
  ledger: Ledger,
  identity: Identity,
  action: string,
  decision: number,
): Promise<void> {
  const data = { action, by: identity.name, decision, role: identity.role };
  await ledger.seal({ type: 'access', data, refs: [decision] }).durable;
}
