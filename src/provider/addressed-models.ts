/**
 * The model that a call's address names where its body need not: a WebRTC offer's
 * (https://developers.openai.com/api/docs/guides/realtime-webrtc). Pure.
 */
import type { OperationName, RequestReading } from './protocol.ts';
import { modelsIn } from './realtime-openai-session.ts';

const addressed: ReadonlySet<OperationName> = new Set(['realtime.calls', 'realtime.sessions']);

/** The reading with each model that `target` names: nobody can say whether that counts or the body. */
export function withAddressed<Reading extends Pick<RequestReading, 'facts'>>(
  reading: Reading,
  operation: OperationName,
  target: string,
): Reading {
  if (!addressed.has(operation)) return reading;
  const { facts } = reading;
  const named = modelsIn(target).filter((name) => name !== '' && name !== facts.model);
  const [model = '', ...others] = facts.model === '' ? named : [facts.model, ...named];
  if (others.length === 0) return { ...reading, facts: { ...facts, model } };
  const insteads = [...(facts.insteads ?? []), ...others.map((other) => ({ model: other }))];
  return { ...reading, facts: { ...facts, model, insteads } };
}
