/**
 * One ruling on many holds of the same bytes. Each is judged, signed and sealed on its own; what is held otherwise is
 * refused, line by line, and nothing is passed over in silence.
 */
import { HoldpointError, messageOf } from '../../core/errors.ts';
import type { Hold } from '../../hold/record.ts';
import {
  type BulkRuled,
  bulkRulingSchema,
  ruleOnHolds,
  signedBulkRulingSchema,
} from '../api/bulk-rulings.ts';
import { rulingSchema } from '../api/rulings.ts';
import { contentDigestOf } from '../hold-summaries.ts';
import { summaryOf } from '../hold-view.ts';
import { type ControlRequest, checkOrder, problemOf, type Route, readJsonBody, sendJson } from '../http.ts';
import { holdOf } from '../named.ts';
import type { ControlParts } from '../parts.ts';
import { requireHoldRole, requireReader, ruleOn } from '../ruling.ts';
import { takeOrder } from '../signed-ruling.ts';

export function bulkRoutes(parts: ControlParts): Route[] {
  return [
    {
      method: 'POST',
      path: '/api/v1/rulings',
      operation: ruleOnHolds,
      handle: (request) => ruleOnAll(parts, request),
    },
  ];
}

/** A line of the order, with the ruling as it would come for this hold alone, signed or not. */
interface Line {
  readonly id: string;
  readonly rulingOn: (hold: Hold) => unknown;
}

type Item = BulkRuled['items'][number];

async function ruleOnAll(parts: ControlParts, request: ControlRequest): Promise<void> {
  const { res, refused } = request;
  const { contentDigest, lines } = linesOf(await readJsonBody(request), parts.rulings === 'signed');
  const items: Item[] = [];
  // One after the other: each is sealed, or refused, before the next is looked at.
  for (const line of lines) {
    try {
      await request.stillMay();
      items.push(await ruleOnOne(parts, request, contentDigest, line));
    } catch (thrown) {
      const error =
        thrown instanceof HoldpointError
          ? thrown
          : new HoldpointError('internal', messageOf(thrown), '', thrown);
      if (error.code === 'internal') parts.onError('A ruling among many failed', thrown);
      refused(error.code);
      const { code, detail, next } = problemOf(error);
      items.push({ id: line.id, hold: null, refusal: { code, detail, next } });
    }
  }
  const ruled = items.filter(({ refusal }) => refusal === null).length;
  sendJson(res, 200, { ruled, refused: items.length - ruled, items } satisfies BulkRuled);
}

function linesOf(body: unknown, mustSign: boolean): { contentDigest: string; lines: readonly Line[] } {
  if (typeof body === 'object' && body !== null && 'verdict' in body) {
    // Refuses all of it where rulings are signed.
    const { contentDigest, verdict, reason, holds } = checkOrder(
      bulkRulingSchema,
      takeOrder(body, mustSign).order,
    );
    // The bytes were named by their content, which is what the digest of each hold commits to.
    const rulingOn = ({ state }: Hold) => ({ verdict, reason, digest: state.terms.digest });
    return { contentDigest, lines: distinct(holds).map((id) => ({ id, rulingOn })) };
  }
  const { contentDigest, holds } = checkOrder(signedBulkRulingSchema, body);
  distinct(holds.map(({ id }) => id));
  return { contentDigest, lines: holds.map(({ id, signed }) => ({ id, rulingOn: () => ({ signed }) })) };
}

function distinct(ids: readonly string[]): readonly string[] {
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  if (twice === undefined) return ids;
  throw new HoldpointError('invalid_argument', `The hold ${twice} is named twice.`, 'Name each once.');
}

async function ruleOnOne(
  parts: ControlParts,
  { identity, requireStanding }: ControlRequest,
  contentDigest: string,
  { id, rulingOn }: Line,
): Promise<Item> {
  const hold = await holdOf(parts, id);
  // Before the bytes are compared, which says something about them.
  requireHoldRole(parts.roles, hold, identity);
  requireReader(parts.roles, identity);
  if ((await contentDigestOf(parts.ledger, hold)) !== contentDigest)
    throw new HoldpointError(
      'digest_mismatch',
      'It does not hold these bytes.',
      'Read it, and rule on it by itself.',
    );
  const { order, signed } = takeOrder(rulingOn(hold), false);
  const ruling = checkOrder(rulingSchema, order);
  const { verdict, amendment, calls, breakGlass, inStead } = ruling;
  const isWhole = verdict !== 'amend' && amendment === undefined && calls === undefined;
  if (!isWhole || breakGlass || inStead !== undefined)
    throw new HoldpointError(
      'invalid_argument',
      'Many holds are released or denied as they are, in one’s own role.',
      'Rule on this one by itself.',
    );
  await ruleOn(parts, hold, identity, ruling, signed, requireStanding);
  return { id, hold: await summaryOf(parts, hold, identity), refusal: null };
}
