/** Writes a reviewer's amendment into events of a managed agent's session: the input of its calls. Pure. */
import {
  confirmAmended,
  objectArguments,
  planAmendment,
  rewriteStream,
  unamendable,
} from '../amending/amendment.ts';
import type { Amendment, ResponseReading } from '../protocol.ts';
import { openEventStream } from '../reading/stream.ts';
import { textOf } from '../wire/json.ts';
import { createSessionStreamReader } from './session-stream.ts';

const okStatus = 200;

function read(bytes: Buffer): ResponseReading {
  const stream = openEventStream(createSessionStreamReader(okStatus), Math.max(bytes.length, 1));
  stream.push(bytes);
  return stream.finish().reading;
}

/** The events with the amendment applied. Throws HoldpointError `invalid_argument` when it does not fit. */
export function amendSession(original: Buffer, amendment: Amendment): Buffer {
  if (amendment.text !== undefined) throw unamendable('its text does not stand in one place');
  const at = planAmendment(read(original), amendment);
  let place = 0;
  const amended = rewriteStream(original, (event) => {
    if (!textOf(event['type']).endsWith('tool_use')) return null;
    const value = at.get(place);
    place += 1;
    return value === undefined ? null : [{ ...event, input: objectArguments(value) }];
  });
  confirmAmended(read(amended), amendment);
  return amended;
}
