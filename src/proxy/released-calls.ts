/** Which calls a release lets through. */
import type { ResponseFacts, ToolCallFact } from '../core/facts.ts';
import type { Hold } from '../hold/record.ts';
import { type HeldPart, judgedAgain } from '../replay/held-judgement.ts';
import type { House } from './house.ts';

/**
 * The calls that whoever gets the released answer has by that; `facts` are the answer's, where they are in hand. None of an
 * amended one: the provider keeps its own. None where the record cannot be read: they are held again, which is all it means.
 */
export async function releasedCalls(
  hold: HeldPart & { readonly state: Pick<Hold['state'], 'status'> },
  facts: ResponseFacts | null,
  { ledger, policy, onError }: Pick<House, 'ledger' | 'policy' | 'onError'>,
): Promise<readonly ToolCallFact[]> {
  if (hold.state.status === 'amended') return [];
  if (facts !== null) return facts.toolCalls;
  try {
    const judged = await judgedAgain(ledger, hold, null, policy());
    const [heard] = judged?.heard() ?? [];
    const calls = heard?.facts.response?.toolCalls ?? [];
    // Another version may have read no call in it when it was sealed: then no entry says that one was let go.
    const isSealedWith =
      hold.response !== null && (await ledger.entry(hold.response)).data['toolCalls'] !== 0;
    return isSealedWith ? calls : [];
  } catch (error) {
    onError(
      'A released answer could not be read again, so its calls are held again when they are read back',
      error,
    );
    return [];
  }
}
