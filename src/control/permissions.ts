/** Who reads content on the control port, and the sealed record that they did. */
import type { RoleBook } from '../core/roles.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Identity } from '../store/token-file.ts';
import type { ControlRequest } from './http.ts';

/** Prompts, answers and tool arguments. A viewer sees that something is held, not what. */
export function mayReadContent(identity: Identity, book: RoleBook): boolean {
  return book.permissionsOf(identity.role).includes('read_content');
}

/** Seals that somebody read content, and from which address; durable before the content is sent. */
export async function sealAccess(
  ledger: Ledger,
  { identity, req }: Pick<ControlRequest, 'identity' | 'req'>,
  action: string,
  decision: number,
): Promise<void> {
  const data = {
    action,
    by: identity.name,
    decision,
    from: req.socket.remoteAddress ?? '',
    role: identity.role,
  };
  await ledger.seal({ type: 'access', data, refs: [decision] }).durable;
}
