/**
 * Every family's reader of answers, whole and streamed: it never throws, keeps every byte, says the same however a
 * stream is cut, amends what was asked and nothing else, and misses no call that a client would carry out.
 */
import { isDeepStrictEqual } from 'node:util';
import { HoldpointError } from '../../../src/core/errors.ts';
import type { Facts, RequestFacts } from '../../../src/core/facts.ts';
import { type ProtocolName, protocolNames } from '../../../src/core/protocol-name.ts';
import { loadPolicy } from '../../../src/policy/compile.ts';
import { amendAnswer } from '../../../src/provider/amending/amend-answer.ts';
import { protocolOf } from '../../../src/provider/index.ts';
import type { Protocol, ResponseReading, StreamEvent, StreamForm } from '../../../src/provider/protocol.ts';
import { hasTooManySegments } from '../../../src/provider/route.ts';
import { judge } from '../../../src/proxy/judge.ts';
import { transcripts } from '../../support/transcripts.ts';
import { must, type Target, unless } from '../target.ts';
import { callsIn, valuesIn } from './client.ts';
import { type FuzzedMessage, piecesOf, readMessage } from './message.ts';
import { answerSeeds } from './seeds.ts';

/** Tools whose calls are held: every one that a transcript calls. */
const heldTools: ReadonlySet<string> = new Set([
  'transfer_funds',
  ...transcripts().flatMap((transcript) => {
    const protocol = protocolOf(transcript.family);
    const operation = protocol.operationOf(transcript.method, transcript.path);
    const { toolCalls } = readWhole(protocol, operation, 200, transcript.form, [transcript.bytes]).reading
      .facts;
    return toolCalls.map(({ name }) => name);
  }),
]);

const policy = loadPolicy(
  'policy.yaml',
  JSON.stringify({
    version: '1',
    rules: [
      {
        id: 'held',
        title: 'Held tools',
        phase: 'response',
        when: `response.toolCalls.exists(c, c.name in ${JSON.stringify([...heldTools])})`,
        action: 'hold',
        severity: 'high',
        tests: [
          { name: 'held', expect: 'match', response: { toolCalls: [{ name: 'transfer_funds' }] } },
          { name: 'text', expect: 'no-match', response: { toolCalls: [] } },
        ],
      },
    ],
  }),
);

const request: RequestFacts = {
  ...{
    provider: '',
    operation: '',
    method: 'POST',
    path: '/',
    model: '',
    stream: false,
    params: {},
    system: '',
  },
  ...{ messages: [], text: '', tools: [], headers: {}, workload: '', subject: '', purpose: '', session: '' },
};

interface WholeReading {
  readonly reading: ResponseReading;
  readonly events: readonly StreamEvent[];
  readonly rest: Buffer;
}

function readWhole(
  protocol: Protocol,
  operation: string,
  status: number,
  form: StreamForm | null,
  pieces: readonly Buffer[],
): WholeReading {
  const none = Buffer.alloc(0);
  if (form === null) {
    const reading = protocol.readResponse(operation, status, Buffer.concat(pieces));
    return { reading, events: [], rest: none };
  }
  const stream = protocol.openStream(operation, status, form);
  const events = pieces.flatMap((piece) => stream.push(piece));
  return { events, ...stream.finish() };
}

/** What a caller has before anything is withheld. */
function passedBytes(events: readonly StreamEvent[]): Buffer {
  const first = events.findIndex(({ kind }) => kind === 'tool' || kind === 'end' || kind === 'error');
  return Buffer.concat(events.slice(0, first === -1 ? events.length : first).map(({ raw }) => raw));
}

function checkFacts({ facts, defects }: ResponseReading, status: number): void {
  must(facts.status === status, 'the status is another');
  for (const text of [facts.model, facts.text, facts.finishReason, facts.refusal, facts.fingerprint])
    must(typeof text === 'string', 'a fact that is a text is none');
  const ids = facts.toolCalls.map(({ id }) => id);
  must(defects.length > 0 || new Set(ids).size === ids.length, 'two calls have one id', () =>
    JSON.stringify(ids),
  );
  must(
    facts.toolCalls.every(({ name }) => typeof name === 'string'),
    'a call has no name',
  );
  must(
    defects.every((defect) => typeof defect === 'string' && defect !== ''),
    'a defect says nothing',
  );
}

/** However it is cut: the same bytes, the same facts, the same said to be unreadable, the same let through. */
function checkCuts(message: FuzzedMessage, whole: WholeReading, cut: WholeReading): void {
  for (const { events, rest } of [whole, cut])
    must(
      Buffer.concat([...events.map(({ raw }) => raw), rest]).equals(message.body),
      'a stream does not keep its bytes',
    );
  const said = ({ reading: { facts, complete, failed, defects } }: WholeReading) => ({
    unreadable: defects.length > 0,
    ...(defects.length > 0 ? {} : { facts, complete, failed }),
  });
  must(
    isDeepStrictEqual(said(whole), said(cut)),
    'a stream says something else when it is cut',
    () => `${JSON.stringify(said(whole))}\n${JSON.stringify(said(cut))}`,
  );
  must(passedBytes(whole.events).equals(passedBytes(cut.events)), 'more is let through when a stream is cut');
}

/** What a lenient client would call, the rules saw, or the answer is held because it cannot be read. */
function checkHeld(
  operation: string,
  form: StreamForm | null,
  message: FuzzedMessage,
  read: WholeReading,
): void {
  const { facts, defects, complete, failed } = read.reading;
  const called = (bytes: Buffer) => valuesIn(form, bytes).flatMap((value) => callsIn(operation, value));
  if (form !== null && message.status === 200) {
    const leaked = called(passedBytes(read.events));
    must(leaked.length === 0, 'a call is let through unjudged', () => JSON.stringify(leaked));
    // A stream without its end is broken off, whatever it says.
    if (!complete && !failed) return;
  }
  const held = called(message.body).filter((name) => heldTools.has(name));
  if (held.length === 0) return;
  const all: Facts = { request, response: facts, labels: [] };
  must(judge(policy, 'response', all, defects).action === 'hold', 'a call to a held tool is not held', () =>
    JSON.stringify({ held, facts }),
  );
}

const amended = { amended: true };

/** An amendment changes the call that it names, and nothing else that is read of the answer. */
function checkAmendment(
  protocol: Protocol,
  operation: string,
  form: StreamForm | null,
  message: FuzzedMessage,
  { reading }: WholeReading,
): void {
  const [first, ...others] = reading.facts.toolCalls;
  if (first === undefined || reading.defects.length > 0 || !reading.complete || reading.failed) return;
  const after = unless(
    (error) => error instanceof HoldpointError && error.code === 'invalid_argument',
    () =>
      amendAnswer(protocol, operation, message.body, form, {
        toolCalls: [{ id: first.id, arguments: amended }],
      }),
  );
  if (after === null) return;
  const again = readWhole(protocol, operation, message.status, form, [after]).reading;
  const tell = () => `${JSON.stringify(reading)}\n${JSON.stringify(again)}\n${after.toString('latin1')}`;
  must(again.defects.length === 0, 'an amended answer cannot be read', tell);
  const [changed, ...kept] = again.facts.toolCalls;
  must(isDeepStrictEqual(changed?.arguments, amended), 'an amended call is not what was asked for', tell);
  must(changed?.name === first.name, 'an amended call has another name', tell);
  const meant = (calls: typeof others) => calls.map(({ name, arguments: value }) => ({ name, value }));
  must(isDeepStrictEqual(meant(kept), meant(others)), 'an amendment changes another call', tell);
  must(again.facts.text === reading.facts.text, 'an amendment of a call changes the text', tell);
}

function readBatch(protocol: Protocol, { batch }: ResponseReading): void {
  for (const line of batch?.() ?? []) {
    const reading = protocol.readResponse(line.operation, line.status, line.response);
    must(Array.isArray(reading.defects), 'a line of a batch is not read');
  }
}

function answersOf(name: ProtocolName): Target {
  const protocol = protocolOf(name);
  return {
    name: `answers-${name}`,
    seeds: () => answerSeeds(name, protocol),
    inputBytesMax: 65_536,
    usPerByteMax: 10,
    run(input) {
      const message = readMessage(input);
      const { method, path, status, contentType, body } = message;
      // The proxy refuses its request before anybody reads it.
      if (hasTooManySegments(path)) return;
      const operation = protocol.operationOf(method, path);
      const form = protocol.streamFormOf(operation, contentType);
      const whole = readWhole(protocol, operation, status, form, [body]);
      checkFacts(whole.reading, status);
      readBatch(protocol, whole.reading);
      if (form !== null)
        checkCuts(message, whole, readWhole(protocol, operation, status, form, piecesOf(message)));
      if (status >= 400 || !protocol.readsAnswer(operation)) return;
      checkHeld(operation, form, message, whole);
      checkAmendment(protocol, operation, form, message, whole);
    },
  };
}

export const targets: readonly Target[] = protocolNames.map(answersOf);
