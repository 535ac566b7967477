/**
 * Every transcript of every family, served by an upstream made of bytes: what passes arrives byte for byte however
 * it was cut, and what a rule denies never gets out, whatever else was changed in the answer.
 */

import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProtocolName } from '../../src/core/protocol-name.ts';
import { protocolOf } from '../../src/provider/index.ts';
import { endAll } from '../support/endings.ts';
import { exchange, rawRequest } from '../support/raw-client.ts';
import { chunk, type RawUpstream, startRawUpstream } from '../support/raw-upstream.ts';
import { passAll, startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { questionFor, type Transcript, transcripts } from '../support/transcripts.ts';

const families: readonly ProtocolName[] = [
  'openai',
  'anthropic',
  'azure',
  'gemini',
  'vertex',
  'bedrock',
  'ollama',
  'mistral',
  'cohere',
];
const denyCalls = `
version: "1"
rules:
  - id: no-calls
    title: No tool may be called
    phase: response
    when: response.toolCalls.size() > 0
    action: deny
    tests:
      - { name: call, expect: match, response: { toolCalls: [{ name: t, arguments: {} }] } }
      - { name: none, expect: no-match, response: { toolCalls: [] } }
`;
/** Shorter pieces may stand in any answer by chance. */
const tellingBytesMin = 24;
const all = transcripts();

let upstream: RawUpstream;
let passing: TestSidecar;
let denying: TestSidecar;
let served: { head: string; pieces: readonly Buffer[] } = { head: '', pieces: [] };

function serve(transcript: Transcript, bytes: Buffer, cuts: readonly number[], coding = ''): void {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  const pieces = places.slice(1).map((to, i) => bytes.subarray(places[i] ?? 0, to));
  const lines = [
    'HTTP/1.1 200 OK',
    `Content-Type: ${transcript.contentType}`,
    'X-Request-ID: r1',
    'set-cookie: a=1',
    'Set-Cookie: b=2',
  ];
  if (coding !== '') lines.push(`Content-Encoding: ${coding}`);
  lines.push('Transfer-Encoding: chunked');
  served = { head: `${lines.join('\r\n')}\r\n\r\n`, pieces: pieces.filter((piece) => piece.length > 0) };
}

function ask(url: string, transcript: Transcript, mount: string) {
  const body = questionFor(transcript);
  const request = rawRequest(
    transcript.method,
    mount + transcript.path,
    ['Content-Type: application/json'],
    body,
  );
  return exchange(url, request);
}

/** The head's lines but for the ones the contract adds and those of one connection. */
function endToEnd(head: string): readonly string[] {
  return head
    .split('\r\n')
    .filter(
      (line) =>
        !/^(holdpoint-decision|connection|keep-alive|transfer-encoding|content-length|x-accel-buffering):/i.test(
          line,
        ),
    );
}

/** What its provider broke off is broken off for the caller too, which other tests see to. */
const whole = all.filter((transcript) => readDirectly(transcript, transcript.bytes).complete);

const cutsOf = fc.array(fc.nat(), { maxLength: 12 });

const codings: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  '': (bytes) => bytes,
  gzip: (bytes) => gzipSync(bytes),
  br: (bytes) => brotliCompressSync(bytes),
  deflate: (bytes) => deflateSync(bytes),
  zstd: (bytes) => zstdCompressSync(bytes),
};

/** Bytes removed, doubled or put in, where and how the generator says. */
const change = fc.record({
  at: fc.nat(),
  remove: fc.nat({ max: 6 }),
  insert: fc.oneof(
    fc.constantFrom(
      '',
      '\n\n',
      '\r\n',
      ',',
      '}',
      '"',
      '\\',
      '\u0000',
      'data: ',
      ': x\n',
      'event: error\n',
      'null',
      '[DONE]',
    ),
    fc.string({ maxLength: 4, unit: 'binary' }),
  ),
});

function changed(bytes: Buffer, changes: readonly { at: number; remove: number; insert: string }[]): Buffer {
  return changes.reduce((now, { at, remove, insert }) => {
    const place = at % (now.length + 1);
    return Buffer.concat([now.subarray(0, place), Buffer.from(insert), now.subarray(place + remove)]);
  }, bytes);
}

interface DirectReading {
  /** There are calls in it, or it cannot be read. */
  readonly mustBeStopped: boolean;
  /** The provider said that it had ended. */
  readonly complete: boolean;
  /** Events that carry a piece of a call, or might. */
  readonly calls: readonly Buffer[];
}

/** What reading the answer directly says. */
function readDirectly(transcript: Transcript, bytes: Buffer): DirectReading {
  const protocol = protocolOf(transcript.family);
  const operation = protocol.operationOf(transcript.method, transcript.path);
  const stream = transcript.form === null ? null : protocol.openStream(operation, 200, transcript.form);
  const events = stream?.push(bytes) ?? [];
  const reading = stream?.finish().reading ?? protocol.readResponse(operation, 200, bytes);
  const { facts, complete } = reading;
  const defects = defectsInSegments(transcript, bytes) ?? reading.defects;
  const calls = events.flatMap(({ kind, raw }) => (kind === 'tool' && tells(transcript, raw) ? [raw] : []));
  const others = events.flatMap(({ kind, raw }) => (kind === 'tool' ? [] : [raw]));
  return {
    mustBeStopped: facts.toolCalls.length > 0 || defects.length > 0,
    complete,
    // Half an event, cut off by a change, may be the end of a whole one that goes on by right.
    calls: calls.filter((call) => !others.some((other) => other.includes(call))),
  };
}

/**
 * What cannot be read in the segments in which such an answer goes on where no rule reads its text: none of them sees that
 * a message's deltas, parted by an event nobody knows, are not the whole of it. null for an answer that waits as one.
 */
function defectsInSegments(
  { family, form, method, path }: Transcript,
  bytes: Buffer,
): readonly string[] | null {
  const protocol = protocolOf(family);
  const open = form === 'sse' ? protocol.segmentsOf?.(protocol.operationOf(method, path)) : null;
  if (open === undefined || open === null) return null;
  const stream = open(200);
  const defects: string[] = [];
  stream.push(bytes);
  for (let event = stream.next(); event !== null; event = stream.next()) {
    const isOver = event.ends || event.kind === 'end' || event.kind === 'error';
    if (isOver && stream.within() !== 'call') defects.push(...stream.cut().defects);
  }
  stream.finish();
  return [...defects, ...stream.cut().defects];
}

/** Seen in an answer, the event could only have come from there. */
function tells(transcript: Transcript, raw: Buffer): boolean {
  return raw.length > tellingBytesMin && !isHarmless(transcript, raw);
}

/** One event that can be read by itself and calls nothing: a segment of its own may let it go on, whatever its type. */
function isHarmless({ family, form, method, path }: Transcript, raw: Buffer): boolean {
  const protocol = protocolOf(family);
  const stream = form === null ? null : protocol.openStream(protocol.operationOf(method, path), 200, form);
  stream?.push(raw);
  const { facts, defects } = stream?.finish().reading ?? { facts: { toolCalls: [] }, defects: ['no stream'] };
  return facts.toolCalls.length === 0 && defects.length === 0;
}

export interface Runs {
  /** Of every transcript, in how many ways it is cut. */
  readonly cutsPerTranscript: number;
  readonly spoiltAnswers: number;
  readonly timeoutMs: number;
}

/** The specification, tried as often as `runs` says. */
export function specifyTranscripts(runs: Runs): void {
  beforeAll(async () => {
    upstream = await startRawUpstream((_request, answer) => {
      answer.send(served.head);
      for (const piece of served.pieces) answer.send(chunk(piece));
      answer.send(chunk(''));
    });
    const upstreams = Object.fromEntries(
      families.map((protocol) => [protocol, { url: upstream.url, protocol, mount: `/${protocol}` }]),
    );
    passing = await startTestSidecar({ policy: passAll, upstreams });
    denying = await startTestSidecar({ policy: denyCalls, upstreams });
  });
  afterAll(endAll);

  test('there is a transcript of every family', () => {
    expect(new Set(all.map(({ family }) => family))).toEqual(new Set(families));
  });

  describe('what no rule stops arrives as the provider sent it, however it was cut', () => {
    test.each(whole.map((transcript) => [transcript.name, transcript] as const))(
      '%s',
      async (_name, transcript) => {
        await fc.assert(
          fc.asyncProperty(cutsOf, async (cuts) => {
            serve(transcript, transcript.bytes, cuts);
            const direct = await ask(upstream.url, transcript, '');
            const through = await ask(passing.proxyUrl, transcript, `/${transcript.family}`);
            expect(through.body.equals(direct.body)).toBe(true);
            expect(endToEnd(through.head)).toEqual(endToEnd(direct.head));
          }),
          { numRuns: runs.cutsPerTranscript },
        );
      },
    );
  });

  describe('what a rule denies does not get out, whatever else is wrong with the answer', () => {
    test(
      'in any family, form, cut and coding',
      async () => {
        let stopped = 0;
        await fc.assert(
          fc.asyncProperty(
            fc.constantFrom(...all),
            fc.array(change, { maxLength: 3 }),
            cutsOf,
            fc.constantFrom(...Object.keys(codings)),
            async (transcript, changes, cuts, coding) => {
              const bytes = changed(transcript.bytes, changes);
              const direct = readDirectly(transcript, bytes);
              if (!direct.mustBeStopped) return;
              stopped += 1;
              serve(transcript, codings[coding]?.(bytes) ?? bytes, cuts, coding);
              const client = ask(denying.proxyUrl, transcript, `/${transcript.family}`);
              // Denied at once by the rule, or held because it cannot be read: then a person denies it here.
              const outcome = await Promise.race([
                client.catch(() => 'broken off' as const),
                denying.ada
                  .nextHold()
                  .then((hold) => denying.ada.rule(hold, { verdict: 'deny', reason: 'unreadable' })),
              ]);
              const answer =
                typeof outcome === 'object' && 'body' in outcome ? outcome : await client.catch(() => null);
              // Broken off, or refused with a status of its own.
              if (answer === null || answer.status >= 400) return;
              // It had begun with what no rule minds, and ends in the provider's own error.
              expect(answer.body.toString('latin1')).toMatch(/permission|denied/i);
              for (const call of direct.calls) expect(answer.body.includes(call)).toBe(false);
            },
          ),
          { numRuns: runs.spoiltAnswers, endOnFailure: true },
        );
        expect(stopped).toBeGreaterThan(runs.spoiltAnswers / 4);
      },
      runs.timeoutMs,
    );
  });
}
