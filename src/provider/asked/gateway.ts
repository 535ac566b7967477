/** A request with everybody whom its header fields have a gateway ask: rules see it with each. Pure. */
import { gatewayAsks } from '../../core/gateway-headers.ts';
import type { RawHeaders } from '../../core/http-message.ts';
import type { RequestReading } from '../protocol.ts';
import { alsoAsking } from './insteads.ts';

type Asking = Pick<RequestReading, 'facts' | 'defects' | 'batchFiles'>;

/** What says nothing to any model, such as a list of them or a file, is the gateway's own business. */
function asksSomebody({ facts, batchFiles = [] }: Asking): boolean {
  return (
    facts.model !== '' || facts.text !== '' || (facts.insteads ?? []).length > 0 || batchFiles.length > 0
  );
}

/** The reading with everybody whom the header fields name, if it asks anybody. */
export function withGateway<Reading extends Asking>(reading: Reading, headers: RawHeaders): Reading {
  const { model: answering, names, defects } = gatewayAsks(headers);
  if (names.length === 0 && defects.length === 0) return reading;
  if (answering === '' && !asksSomebody(reading)) return reading;
  const model = reading.facts.model || answering;
  const facts = alsoAsking({ ...reading.facts, model }, names);
  return { ...reading, facts, defects: [...reading.defects, ...defects] };
}
