/** What a reviewer put in place of an answer's withheld messages, read back from the ledger. */
import { HoldpointError } from '../../core/errors.ts';
import { decodeHttpMessage } from '../../core/http-message.ts';
import type { Hold } from '../../hold/record.ts';
import { decodeSocketBody } from '../../provider/realtime/body.ts';
import type { SocketMessage } from '../../provider/realtime/dialect.ts';
import type { House } from '../house.ts';

/** The messages that go out in place of the withheld ones. Throws `ledger_damaged`. */
export async function amendedMessages(hold: Hold, house: House): Promise<readonly SocketMessage[]> {
  const { ruling } = hold;
  if (ruling === null) throw new HoldpointError('ledger_damaged', `The hold ${hold.id} has no ruling.`);
  const entry = await house.ledger.entry(ruling);
  if (entry.parts.find(({ name }) => name === 'amendment')?.c !== hold.releaseDigest) {
    throw new HoldpointError(
      'ledger_damaged',
      `The sealed amendment of ${hold.id} is not the one that was ruled.`,
    );
  }
  const { body } = decodeHttpMessage(await house.ledger.part(ruling, 'amendment'));
  return decodeSocketBody(body).records.flatMap(({ way, data, opcode }) =>
    way === 'withheld' && data !== null ? [{ data, binary: opcode === 'binary' }] : [],
  );
}
