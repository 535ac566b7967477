/**
 * One call to the provider over raw undici dispatch: HTTP/1.1, our own timers, no retries of what a provider
 * said. Bytes arrive as they are; nothing here knows what they mean.
 */
import { Readable } from 'node:stream';
import type { Agent, Dispatcher } from 'undici';
import type { Clock, Schedule } from '../core/clock.ts';
import type { Egress } from '../core/egress.ts';
import { HoldpointError, messageOf } from '../core/errors.ts';
import {
  endToEndHeaders,
  endToEndTrailers,
  type RawHeaders,
  reasonOf,
  valuesOf,
} from '../core/http-message.ts';
import { createAnswerBody } from './answer-body.ts';
import type { Body } from './body.ts';
import { unreachable } from './unreachable.ts';
import { isBreakingOff, isStaleSocket, openConnections } from './upstream-connections.ts';
import { mayRepeat, withholding } from './withhold.ts';

export interface OutgoingRequest {
  readonly origin: string;
  readonly path: string;
  readonly method: string;
  readonly headers: RawHeaders;
  readonly body: Body;
  /** The key among the headers, where the sidecar put it in: an answer that repeats it is passed on without it. */
  readonly withheld?: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: string[];
  /** The request went out twice: the first time on an idle connection that broke, whatever had been read of it. */
  readonly resent: boolean;
  /** The answer's bytes, in pieces; throws `upstream_truncated` or `upstream_timeout` when it did not end well. */
  chunks(): AsyncGenerator<Buffer>;
  /** The first piece, which stays to be read; empty when there is none. */
  peek(): Promise<Buffer>;
  /** Fields that came after the answer's last byte; [] before that. */
  trailers(): RawHeaders;
  /** The whole answer, or what had arrived with the error that ended it. */
  readAll(bytesMax: number): Promise<{ readonly body: Buffer; readonly error: HoldpointError | null }>;
  /** Stops the upstream; tokens stop billing. */
  abort(reason: string): void;
}

export interface Forwarder {
  /** Resolves with the head of the answer. Throws `upstream_unreachable` or `upstream_timeout`. */
  send(request: OutgoingRequest, onAbort: (abort: (reason: string) => void) => void): Promise<Answer>;
  close(): Promise<void>;
}

export interface Time {
  readonly clock: Clock;
  readonly schedule: Schedule;
}

export interface ForwardBounds {
  /** No byte from the upstream, nor one that it took of a large body, for this long ends the call. */
  readonly idleMsMax: number;
  readonly connectMsMax: number;
  readonly connectionsMax: number;
  /** Of an answer that comes compressed though the sidecar, for its own key's sake, asked for none that is. */
  readonly codedBytesMax: number;
  readonly decodedBytesMax: number;
}

/** A closed connection says so within a round trip. One that breaks later had somebody at work on the request. */
const staleUsMax = 2_000_000;

const notForwarded = (name: string): boolean =>
  name === 'host' ||
  name === 'content-length' ||
  name === 'expect' ||
  name === 'prefer' ||
  name.startsWith('holdpoint-');

/** The request headers as the provider gets them; the provider's own host stands in for the workload's unless kept. */
export function forwardedHeaders(headers: RawHeaders, keepHost = false): string[] {
  return endToEndHeaders(headers, (name) => notForwarded(name) && !(keepHost && name === 'host'));
}

export function createForwarder(bounds: ForwardBounds, egress: Egress, time: Time): Forwarder {
  const { agent, close } = openConnections(bounds, egress);
  return {
    send: async (request, onAbort) => {
      let begunUs = 0;
      const onBegun = (): void => {
        begunUs = time.clock.monoUs();
      };
      const sent = dispatch(agent, request, bounds, time, onAbort, onBegun).catch(async (error: unknown) => {
        const isAtOnce = time.clock.monoUs() - begunUs <= staleUsMax;
        if (!isAtOnce || !isStaleSocket(error)) throw error;
        // The provider closed an idle connection: not an answer. That it read the request is not likely, and is said.
        return { ...(await dispatch(agent, request, bounds, time, onAbort, onBegun)), resent: true };
      });
      const answer = await sent;
      const coding = valuesOf(answer.headers, 'content-encoding').join(',');
      const { withheld } = request;
      return withheld === undefined || coding === '' ? answer : checked(answer, coding, withheld, bounds);
    },
    close,
  };
}

/** An answer whose bytes do not show whether the key stands in them, once it is known not to. Throws otherwise. */
async function checked(
  answer: Answer,
  coding: string,
  withheld: string,
  { codedBytesMax, decodedBytesMax }: ForwardBounds,
): Promise<Answer> {
  const { body, error } = await answer.readAll(codedBytesMax);
  if (error === null && !mayRepeat(withheld, coding, body, decodedBytesMax)) {
    const whole = createAnswerBody();
    if (body.length > 0) whole.push(body);
    whole.end(null);
    return { ...answer, chunks: whole.chunks, peek: whole.peek, readAll: whole.readAll };
  }
  const failure =
    error ??
    new HoldpointError(
      'upstream_truncated',
      'The upstream compressed its answer, though asked not to, and may repeat the key in it.',
      'Turn compression off at the upstream, or leave upstreams.*.key out.',
    );
  answer.abort(failure.message);
  throw failure;
}

function dispatch(
  agent: Agent,
  request: OutgoingRequest,
  bounds: ForwardBounds,
  { clock, schedule }: Time,
  onAbort: (abort: (reason: string) => void) => void,
  onBegun: () => void,
): Promise<Answer> {
  const answer = Promise.withResolvers<Answer>();
  const { head, spool } = request.body;
  const body = createAnswerBody();
  const withhold = withholding(request.withheld);
  let controller: Dispatcher.DispatchController | null = null;
  let lastByteUs = clock.monoUs();
  const byteMoved = (): void => {
    lastByteUs = clock.monoUs();
  };
  let cancelTimer = schedule(bounds.idleMsMax, checkIdle);
  let stopReason: HoldpointError | null = null;
  let trailers: string[] = [];

  function checkIdle(): void {
    // While it is held back for a slow reader, its silence is our doing.
    const fromUs = body.isPaused() ? clock.monoUs() : lastByteUs;
    const leftMs = bounds.idleMsMax - (clock.monoUs() - fromUs) / 1000;
    if (leftMs > 0) cancelTimer = schedule(leftMs, checkIdle);
    else
      stop(
        new HoldpointError(
          'upstream_timeout',
          `The upstream sent nothing for ${bounds.idleMsMax} ms.`,
          'Raise limits.upstreamIdleMsMax if that is expected.',
        ),
      );
  }
  function stop(reason: HoldpointError): void {
    stopReason ??= reason;
    // One that waits for a connection may wait long: it is over now, and is not sent when its turn comes.
    if (controller === null) ended(stopReason);
    else controller.abort(reason);
  }
  function ended(error: HoldpointError | null): void {
    cancelTimer();
    if (error !== null) answer.reject(error);
    body.end(error);
  }
  const abort = (reason: string): void => stop(new HoldpointError('upstream_truncated', reason));
  onAbort(abort);

  agent.dispatch(
    {
      origin: request.origin,
      path: request.path,
      method: toMethod(request.method),
      headers: framedHeaders(request),
      body: spool === null ? (head.length === 0 ? null : head) : Readable.from(each(spool.read(), byteMoved)),
    },
    {
      onRequestStart: (started) => {
        controller = started;
        onBegun();
        if (stopReason !== null) started.abort(stopReason);
      },
      onResponseStart: (started, status, _headers, statusText) => {
        byteMoved();
        if (status < 200) return;
        body.flow = { pause: () => started.pause(), resume: () => started.resume() };
        answer.resolve({
          status,
          statusText: withhold.text(reasonOf(statusText ?? '')),
          headers: withhold.fields(rawHeadersOf(started.rawHeaders)),
          resent: false,
          chunks: body.chunks,
          readAll: body.readAll,
          peek: body.peek,
          trailers: () => trailers,
          abort,
        });
      },
      onResponseData: (_controller, chunk) => {
        byteMoved();
        const safe = withhold.next(chunk);
        if (safe.length > 0) body.push(safe);
      },
      onResponseEnd: (finished) => {
        const rest = withhold.end();
        if (rest.length > 0) body.push(rest);
        trailers = endToEndTrailers(withhold.fields(rawHeadersOf(finished.rawTrailers)));
        ended(isBreakingOff() ? brokenOff(new Error('its connection was reset')) : null);
      },
      onResponseError: (_controller, error) => {
        ended(stopReason ?? (body.flow === null ? unreachable(error) : brokenOff(error)));
      },
    },
  );
  return answer.promise;
}

function brokenOff(error: Error): HoldpointError {
  const what = `The upstream broke off its answer: ${messageOf(error)}.`;
  return new HoldpointError('upstream_truncated', what, 'Retry the call.', error);
}

/** The pieces as they are taken: no further one is while the upstream takes nothing. */
async function* each(pieces: AsyncIterable<Buffer>, onPiece: () => void): AsyncGenerator<Buffer> {
  for await (const piece of pieces) {
    onPiece();
    yield piece;
  }
}

function rawHeadersOf(raw: Dispatcher.DispatchController['rawHeaders' | 'rawTrailers']): string[] {
  if (!Array.isArray(raw)) return [];
  return raw.map((text) => (typeof text === 'string' ? text : text.toString('latin1')));
}

/** undici counts what lies in memory; of the rest it is told the length, so that it is not sent in chunks. */
function framedHeaders({ headers, body }: OutgoingRequest): string[] {
  return body.spool === null ? headers.slice() : [...headers, 'content-length', String(body.bytes)];
}

/** undici's type lists the common methods; the wire takes any token, and undici checks that it is one. */
function toMethod(method: string): Dispatcher.HttpMethod {
  return method as Dispatcher.HttpMethod;
}
