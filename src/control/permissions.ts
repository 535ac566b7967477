/** Who may do what on the control port, and the sealed record of who read content. */
import { HoldpointError } from '../core/errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Identity, Role } from '../store/token-file.ts';

const contentReaders: ReadonlySet<Role> = new Set(['reviewer', 'auditor', 'privacy', 'admin']);
const ledgerReaders: ReadonlySet<Role> = new Set(['auditor', 'admin']);

/** Prompts, answers and tool arguments. A viewer sees that something is held, not what. */
export function mayReadContent(identity: Identity): boolean {
  return contentReaders.has(identity.role);
}

export function requireContentReader(identity: Identity): void {
  if (!mayReadContent(identity))
    throw new HoldpointError('forbidden', `The role ${identity.role} does not read content.`);
}

export function requireLedgerReader(identity: Identity): void {
  if (!ledgerReaders.has(identity.role))
    throw new HoldpointError(
      'forbidden',
      `The role ${identity.role} does not read the ledger.`,
      'Use a token with the role auditor.',
    );
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
