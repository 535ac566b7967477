/** Sign-ins and sign-outs on the record: who, as what, by what means and why, from which address. */
import type { JsonObject } from '../../ledger/canonical.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Caller } from './caller.ts';

export interface Admission {
  readonly action: 'sign in' | 'sign out';
  readonly via: 'token' | 'oidc' | 'certificate' | 'kubernetes';
  /** What gave them the role, such as the group; '' where it is the token's own. */
  readonly grant: string;
  readonly from: string;
}

/** Resolves once it is durable; rejects with `ledger_unavailable`, and then nobody is let in. */
export async function sealAdmission(
  ledger: Pick<Ledger, 'seal'>,
  { name, role, display }: Caller,
  { action, via, grant, from }: Admission,
): Promise<void> {
  const data: JsonObject = {
    action,
    by: name,
    ...(display === undefined ? {} : { display }),
    from,
    grant,
    role,
    via,
  };
  await ledger.seal({ type: 'access', data }).durable;
}
