/** A request with everybody whom its header fields have a gateway ask: rules see it with each. Pure. */
import { gatewayAsks } from '../core/gateway-headers.ts';
import type { RawHeaders } from '../core/http-message.ts';
import type { RequestReading } from './protocol.ts';

/** What says nothing to any model, such as a list of them or a file, is the gateway's own business. */
function asksSomebody({ facts }: Pick<RequestReading, 'facts'>): boolean {
  return facts.model !== '' || facts.text !== '' || (facts.insteads ?? []).length > 0;
}

/** The reading with them. */
export function withGateway<Reading extends Pick<RequestReading, 'facts' | 'defects'>>(
  reading: Reading,
  headers: RawHeaders,
): Reading {
  const { names, defects } = gatewayAsks(headers);
  if ((names.length === 0 && defects.length === 0) || !asksSomebody(reading)) return reading;
  const insteads = [...(reading.facts.insteads ?? []), ...names.map((model) => ({ model }))];
  const facts = insteads.length === 0 ? reading.facts : { ...reading.facts, insteads };
  return { ...reading, facts, defects: [...reading.defects, ...defects] };
}
