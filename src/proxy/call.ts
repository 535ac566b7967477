/**
 * One call of a workload as the pipeline sees it: what came in, what it means, and whether the caller is
 * still there. Reads the request whole, within bounds; nothing is sent anywhere from here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createCohorts } from '../core/cohort.ts';
import { factHeadersOf } from '../core/fact-headers.ts';
import type { RequestFacts } from '../core/facts.ts';
import { nameIn } from '../core/header-name.ts';
import { headerOf, type RawHeaders, withoutValueOf } from '../core/http-message.ts';
import type { OpenSpool } from '../core/spool.ts';
import { withAddressed } from '../provider/addressed-models.ts';
import { withGateway } from '../provider/asked/gateway.ts';
import { envelopeDefects } from '../provider/envelope.ts';
import type { OperationName } from '../provider/protocol.ts';
import { plainBoundaryOf } from '../provider/reading/multipart.ts';
import { type Body, type BodyBounds, bodyOf, readPassing, readWhole } from './body.ts';
import { wasCut } from './connections.ts';
import type { Leaving } from './outcome.ts';
import { type StoredBody, storedRequest, storedWhole } from './stored-body.ts';
import { type Lines, type ReadBounds, type Understood, understand } from './understand.ts';
import { pathOf, targetBelow, type Upstream, upstreamFor } from './upstream.ts';

export interface Caller extends Leaving {
  /** Runs once when the caller disconnects before its answer was finished. */
  whenGone(fn: () => void): void;
}

export interface Call {
  readonly res: ServerResponse;
  readonly method: string;
  /** Path and query as they go to the upstream: its own path, and what stands below the mount. */
  readonly target: string;
  readonly headers: RawHeaders;
  /** What goes out in their place, as it was ruled on; absent where no ruling let this call go. */
  readonly released?: RawHeaders;
  readonly body: Body;
  /** The body as it is recorded. */
  readonly stored: StoredBody;
  readonly upstream: Upstream;
  readonly operation: OperationName;
  readonly facts: RequestFacts;
  /** The requests that the body carries; absent where it carries none. */
  readonly batch?: (() => Lines) | undefined;
  /** Files of further requests that run with this one, by name; absent for none. */
  readonly batchFiles?: readonly string[] | undefined;
  /** What could not be read of the request; it is then refused. */
  readonly defects: readonly string[];
  /** Keyed fingerprint of the credential that was used: attributable, and useless as a credential. */
  readonly credential: string;
  /** What a repetition is known by where the body is not the caller's own any more; absent where it is. */
  readonly retryKey?: string;
  readonly caller: Caller;
  readonly startedUs: number;
}

/** An upgraded connection, as far as it is recorded. */
export type UpgradeCall = Omit<
  Call,
  'res' | 'caller' | 'operation' | 'defects' | 'released' | 'retryKey' | 'startedUs'
> & {
  readonly operation: 'tunnel';
};

export type CallBounds = BodyBounds & ReadBounds;

/** Of requests that have arrived, before they are understood, judged and sealed. */
const joinArrived = createCohorts();
const empty = Buffer.alloc(0);

/** What a request asks of its upstream, by method and path alone. */
export function operationOf(req: IncomingMessage, { mount, basePath, protocol }: Upstream): OperationName {
  const method = req.method ?? 'GET';
  const below = pathOf(targetBelow(req.url ?? '/', mount));
  const operation = protocol.operationOf(method, basePath + below);
  // A server's root, which may be served at any path of a host's, is known by what stands below that alone.
  return operation === 'unknown' && basePath !== '' ? protocol.operationOf(method, below) : operation;
}

/** Who asks and where to: everything of a call but its body. */
function readEnvelope(
  req: IncomingMessage,
  upstream: Upstream,
  fingerprint: (secret: string) => string,
  workloadName: string,
) {
  const headers = req.rawHeaders;
  const below = targetBelow(req.url ?? '/', upstream.mount);
  const target = upstream.basePath + below;
  const credential = credentialOf(headers, target);
  const sender = {
    headers: factHeadersOf(headers),
    workload: nameIn(headers, 'holdpoint-workload') || workloadName,
    subject: nameIn(headers, 'holdpoint-subject'),
    purpose: nameIn(headers, 'holdpoint-purpose'),
    session: nameIn(headers, 'holdpoint-session'),
  };
  const envelope = {
    upstream,
    headers,
    target,
    method: req.method ?? 'GET',
    credential: credential === '' ? '' : fingerprint(credential),
  };
  return { envelope, path: pathOf(target), pathBelow: pathOf(below), sender };
}

/** Reads and understands a call; its body is the caller's to let go. Throws `bad_request`, `body_too_large` or `overloaded`. */
export async function readCall(
  req: IncomingMessage,
  res: ServerResponse,
  upstream: Upstream,
  bounds: CallBounds,
  openSpool: OpenSpool,
  fingerprint: (secret: string) => string,
  startedUs: number,
  workloadName: string,
): Promise<Call> {
  const caller = watchCaller(res);
  const asking = readEnvelope(req, upstream, fingerprint, workloadName);
  const { headers } = asking.envelope;
  const operation = operationOf(req, upstream);
  const passes = operation === 'unknown' || plainBoundaryOf(headerOf(headers, 'content-type')) !== null;
  const body = passes
    ? await readPassing(req, headers, bounds, openSpool)
    : await readWhole(req, headers, bounds.requestBytesMax);
  await joinArrived();
  try {
    return { res, caller, startedUs, ...readMeaning(asking, operation, body, bounds) };
  } catch (error) {
    await body.spool?.close();
    throw error;
  }
}

/** What a body that has arrived asks for, and what is stored of it. */
function readMeaning(
  { envelope, path, pathBelow, sender }: ReturnType<typeof readEnvelope>,
  operation: OperationName,
  body: Body,
  bounds: CallBounds,
): Omit<Call, 'res' | 'caller' | 'startedUs'> {
  const { upstream, method, headers, target } = envelope;
  const own = understand(upstream.protocol, operation, path, headers, body, bounds);
  const reading = alsoAsked(own, operation, target, headers);
  const facts = { provider: upstream.protocol.name, operation, method, path, ...reading.facts, ...sender };
  return {
    ...envelope,
    body,
    // Where the sidecar puts its key, workloads may still send theirs.
    stored: storedRequest(
      path,
      withoutValueOf(upstream.key?.header, headers),
      body.head,
      bounds.decodedBytesMax,
    ),
    operation,
    facts,
    batch: reading.batch,
    batchFiles: reading.batchFiles,
    defects: [...reading.defects, ...envelopeDefects(method, pathBelow, headers)],
  };
}

/** What a body means, with everybody whom its address and its header fields have asked besides. */
export function alsoAsked<Reading extends Pick<Understood, 'facts' | 'defects' | 'batchFiles'>>(
  reading: Reading,
  operation: OperationName,
  target: string,
  headers: RawHeaders,
): Reading {
  return withGateway(withAddressed(reading, operation, target), headers);
}

/** What an upgrade says of itself; its frames are not read. Throws `no_upstream` or `bad_request`. */
export function readUpgrade(
  req: IncomingMessage,
  upstreams: readonly Upstream[],
  fingerprint: (secret: string) => string,
  workloadName: string,
): UpgradeCall {
  const upstream = upstreamFor(req.url ?? '/', upstreams);
  const { envelope, path, sender } = readEnvelope(req, upstream, fingerprint, workloadName);
  const { method } = envelope;
  const reading = upstream.protocol.readRequest('unknown', empty, { path, contentType: '' });
  const facts = {
    provider: upstream.protocol.name,
    operation: 'tunnel',
    method,
    path,
    ...reading.facts,
    ...sender,
  };
  const stored = storedWhole(withoutValueOf(upstream.key?.header, envelope.headers), empty);
  return { ...envelope, body: bodyOf(empty), stored, operation: 'tunnel', facts };
}

function watchCaller(res: ServerResponse): Caller {
  let fns: (() => void)[] = [];
  const { socket } = res.req;
  const caller = {
    gone: false,
    // No accessor: V8 keeps its function, and with that the call, until it collects the whole heap (test/proxy/garbage.test.ts).
    cut: false,
    whenGone: (fn: () => void) => {
      if (caller.gone) fn();
      else fns.push(fn);
    },
  };
  res.once('close', () => {
    const waiting = fns;
    fns = [];
    if (res.writableFinished) return;
    caller.gone = true;
    caller.cut = wasCut(socket);
    for (const fn of waiting) fn();
  });
  return caller;
}

/** What the workload shows as its credential, in the clear; '' for none. Never stored. */
export function credentialOf(headers: RawHeaders, target: string): string {
  for (const name of ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key']) {
    const value = headerOf(headers, name);
    // A signature is another for each call; whose key made it stays the same (AWS Signature Version 4).
    const signer = /^AWS4-[A-Z0-9-]+ .*\bCredential=([^/,\s]+)/.exec(value)?.[1];
    if (signer !== undefined) return `${signer} ${headerOf(headers, 'x-amz-security-token')}`.trim();
    if (value !== '') return value;
  }
  return /[?&]key=([^&]*)/.exec(target)?.[1] ?? '';
}
