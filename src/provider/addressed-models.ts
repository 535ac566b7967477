/**
 * The model that a call's address names where its body need not: a WebRTC offer's
 * (https://developers.openai.com/api/docs/guides/realtime-webrtc). Pure.
 */
import { alsoAsking } from './insteads.ts';
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
  const named = modelsIn(target).filter((name) => name !== '');
  const model = facts.model || (named[0] ?? '');
  return { ...reading, facts: alsoAsking({ ...facts, model }, named) };
}
