/** What is sealed of one exchange within a connection: the leaf's data, and the messages kept beside it. */
import type { RequestFacts } from '../../core/facts.ts';
import {
  encodeHttpMessage,
  type RawHeaders,
  removedValue,
  targetWithoutSecrets,
  withoutSecrets,
  withoutValueOf,
} from '../../core/http-message.ts';
import type { Draft } from '../../ledger/sealer.ts';
import type { Judgement, Policy } from '../../policy/policy.ts';
import { withoutMessageSecrets } from '../../provider/reading/secret-members.ts';
import { encodeSocketBody, type SocketRecord, socketBodyType } from '../../provider/realtime/body.ts';
import { answerLeaf, type JudgedAnswer, requestLeaf } from '../../record/leaf-data.ts';
import type { SocketCall } from './socket-call.ts';
import type { Tape } from './tape.ts';

const messagesHeaders: RawHeaders = ['content-type', socketBodyType];

/** The intent to connect, or with a tape the intent of what is on it. */
export function socketRequestDraft(
  call: SocketCall,
  facts: RequestFacts,
  defects: readonly string[],
  tape: Tape | null,
  judgement: Judgement,
  policy: Policy,
): Draft {
  const streamed = { ...facts, stream: true };
  const data = requestLeaf(call, streamed, tape?.bytes ?? 0, judgement, policy, call.fingerprint);
  const { records, removed } = storedRecords(tape);
  if (tape !== null && tape.omittedBytes > 0) data['omitted'] = tape.omittedBytes;
  if (removed > 0) data['removed'] = removed;
  const { model, stream, params, system, messages, text, tools, insteads } = facts;
  const understood = { facts: { model, stream, params, system, messages, text, tools, insteads }, defects };
  const message = encodeHttpMessage({
    startLine: `${call.method} ${targetWithoutSecrets(call.target)} HTTP/1.1`,
    headers:
      tape === null
        ? withoutSecrets(withoutValueOf(call.upstream.key?.header, call.headers))
        : messagesHeaders,
    body: tape === null ? Buffer.alloc(0) : encodeSocketBody(understood, records),
  });
  return { type: 'request', data, parts: [{ name: 'request', bytes: message }] };
}

/** The messages without the credentials in them, such as those a session's tools are set up with. */
function storedRecords(tape: Tape | null): {
  readonly records: readonly SocketRecord[];
  readonly removed: number;
} {
  let removed = 0;
  const records = (tape?.records ?? []).map((record) => {
    if (record.data === null) return record;
    const safe = withoutMessageSecrets(record.data, removedValue);
    removed += safe.removed;
    return safe.removed === 0 ? record : { ...record, data: safe.bytes, bytes: safe.bytes.length };
  });
  return { records, removed };
}

export interface SocketAnswer extends JudgedAnswer {
  readonly defects: readonly string[];
}

/** The answer's messages. What carries them is no HTTP answer of its own, so it counts as a 200. */
export function socketResponseDraft(decision: number, answer: SocketAnswer, tape: Tape): Draft {
  const { facts, defects } = answer;
  const { records, removed } = storedRecords(tape);
  const body = encodeSocketBody({ facts: { ...facts }, defects }, records);
  const message = encodeHttpMessage({ startLine: 'HTTP/1.1 200 OK', headers: messagesHeaders, body });
  const data = answerLeaf(decision, answer, tape.bytes, true);
  if (removed > 0) data['removed'] = removed;
  return {
    type: 'response',
    data: tape.omittedBytes === 0 ? data : { ...data, omitted: tape.omittedBytes },
    refs: [decision],
    parts: [{ name: 'response', bytes: message }],
  };
}

/** The provider's answer to the handshake. */
export function handshakeDraft(
  decision: number,
  answer: SocketAnswer,
  head: { readonly statusText: string; readonly headers: RawHeaders; readonly body: Buffer },
): Draft {
  const message = encodeHttpMessage({
    startLine: `HTTP/1.1 ${answer.facts.status} ${head.statusText}`,
    headers: withoutSecrets(head.headers),
    body: head.body,
  });
  const data = answerLeaf(decision, answer, head.body.length, false);
  return { type: 'response', data, refs: [decision], parts: [{ name: 'response', bytes: message }] };
}
