/**
 * The raw tunnel for upgraded connections (WebSocket) at paths that the configuration names. Frames are not read
 * and not recorded; that the tunnel was opened, by whom and to where, is sealed before the first byte goes out,
 * and request rules apply to it.
 * The only importer of `http-proxy`.
 */
import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import httpProxy from 'http-proxy';
import { type ErrorCode, HoldpointError, messageOf } from '../core/errors.ts';
import type { Facts } from '../core/facts.ts';
import { redirectDoubt } from '../core/redirect.ts';
import type { Outcome } from '../ledger/entry.ts';
import type { Judgement } from '../policy/policy.ts';
import type { UpgradeCall } from './call.ts';
import { cutWhenEnded } from './handshake.ts';
import type { House } from './house.ts';
import { judge } from './judge.ts';
import { withProviderKey } from './provider-key.ts';
import { requestDraft } from './record.ts';
import { toHoldpointError } from './respond.ts';
import { unreachable } from './unreachable.ts';
import { dropTheRest, refuseUpgrade } from './upgrade-refusal.ts';
import { starring } from './withhold.ts';

const outcomeByCode: Partial<Readonly<Record<ErrorCode, Outcome>>> = {
  ledger_unavailable: 'ledger_unavailable',
  overloaded: 'ledger_unavailable',
  upstream_truncated: 'upstream_truncated',
};

/** Judges, seals and opens one tunnel; resolves when it is closed. */
export async function openTunnel(
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  call: UpgradeCall,
  house: House,
): Promise<void> {
  let decision: number | null = null;
  const handshakeDone = cutWhenEnded(socket);
  try {
    const policy = house.policy();
    const facts: Facts = { request: call.facts };
    const ruled = judge(policy, 'request', facts, []);
    // An upgraded connection cannot be suspended: what would be held is denied.
    const judgement: Judgement = ruled.action === 'hold' ? { ...ruled, action: 'deny' } : ruled;
    const draft = requestDraft(call, judgement, policy, house.fingerprint);
    const request = house.ledger.seal({ ...draft, data: { ...draft.data, recorded: false } });
    decision = request.seq;
    await request.durable;
    if (judgement.action === 'deny') {
      house.holds.settle(decision, 'denied');
      refuseUpgrade(
        socket,
        new HoldpointError('denied_by_policy', 'A rule stops this connection.'),
        null,
        null,
      );
      return;
    }
    if (socket.destroyed) {
      // It will not close again, so nobody would end what was opened for it.
      house.holds.settle(decision, 'client_abort');
      return;
    }
    const agent = house.egress.agentFor(call.upstream.origin);
    const way = { agent, connectMsMax: house.bounds.connectMsMax };
    house.holds.settle(decision, await pipe(req, socket, head, call, way, handshakeDone));
  } catch (thrown) {
    const error = toHoldpointError(thrown);
    if (decision !== null) house.holds.settle(decision, outcomeByCode[error.code] ?? 'upstream_error');
    refuseUpgrade(socket, error, null, null);
    if (error.code === 'internal') house.onError('A tunnel failed inside Holdpoint', thrown);
  }
}

/** Resolves when it is over: `client_abort` where the caller left before there was an answer. */
function pipe(
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  { upstream, target }: UpgradeCall,
  { agent, connectMsMax }: { readonly agent: Agent | undefined; readonly connectMsMax: number },
  onOpen: () => void,
): Promise<Outcome> {
  const out = withProviderKey(upstream.key, target, req.rawHeaders);
  if (out.withheld !== undefined) starOut(socket, out.withheld);
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const proxy = httpProxy.createProxyServer({
    target: upstream.origin,
    ws: true,
    changeOrigin: true,
    secure: true,
    // The path as it was judged: http-proxy would read it as a URL, in which `/\name/` is another host.
    toProxy: true,
    connectTimeout: connectMsMax,
    ...(agent === undefined ? {} : { agent }),
  });
  let opened = false;
  let answered = false;
  proxy.on('open', (far: Duplex) => {
    opened = true;
    answered = true;
    onOpen();
    // What the caller sends behind the end of the far side nobody takes: unread it would keep the connection for good.
    far.once('close', () => dropTheRest(socket));
  });
  const fail = (error: Error): void => {
    const failure = answered
      ? new HoldpointError(
          'upstream_truncated',
          `The upstream broke off the connection: ${messageOf(error)}.`,
          'Retry the connection.',
          error,
        )
      : unreachable(error);
    // At once: http-proxy ends the socket when this returns. Between frames, or within an answer, no status line may stand.
    if (answered) socket.destroy();
    else refuseUpgrade(socket, failure, null, null);
    reject(failure);
  };
  proxy.on('error', fail);
  proxy.on('proxyReqWs', (asked) => {
    // Of silence until it is open, and within an answer that is none; http-proxy ends that of a tunnel.
    asked.setTimeout(connectMsMax);
    asked.on('timeout', () => {
      // While it is held back for a slow reader, its silence is our doing.
      if (!socket.writableNeedDrain) asked.destroy(new Error(`nothing for ${connectMsMax} ms`));
    });
    relayRefusals(asked, socket, fail, (doubt) => {
      answered = true;
      if (doubt === '') return;
      const what = `The upstream opens no connection: ${doubt}.`;
      const next = 'Check upstreams.*.url in the configuration.';
      const failure = new HoldpointError('upstream_unreachable', what, next);
      refuseUpgrade(socket, failure, null, null);
      reject(failure);
    });
    socket.once('close', () => {
      resolve(opened || (answered && socket.writableFinished) ? 'delivered' : 'client_abort');
      // http-proxy would leave it under way, and open what comes of it for nobody.
      if (!opened) asked.destroy();
    });
  });
  proxy.on('close', () => resolve('delivered'));
  req.url = out.path;
  req.headers = Object.create(null);
  for (let i = 0; i + 1 < out.headers.length; i += 2) {
    const name = (out.headers[i] ?? '').toLowerCase();
    if (name.startsWith('holdpoint-') || name === 'proxy-authorization') continue;
    // Compressed frames would hide the key if the provider repeated it.
    if (out.withheld !== undefined && name === 'sec-websocket-extensions') continue;
    const value = out.headers[i + 1] ?? '';
    const before = req.headers[name];
    req.headers[name] = before === undefined ? value : `${String(before)}, ${value}`;
  }
  // Each letter of a field stands for one byte, and http-proxy writes the head without naming an encoding.
  socket.setDefaultEncoding('latin1');
  proxy.ws(req, socket, head);
  return promise;
}

/**
 * http-proxy relays whatever is answered instead of an upgrade: not what sends the caller past Holdpoint, no faster than
 * the caller reads, and what breaks off not as if it were whole.
 */
function relayRefusals(
  asked: ClientRequest,
  socket: Duplex,
  onBroken: (error: Error) => void,
  onAnswer: (doubt: string) => void,
): void {
  // Once http-proxy listens, which it does after it has told of the request and before any answer can be read.
  queueMicrotask(() => {
    const relaying = asked.listeners('response');
    asked.removeAllListeners('response');
    asked.on('response', (answer: IncomingMessage) => {
      const doubt = redirectDoubt(answer.statusCode ?? 0, answer.rawHeaders);
      onAnswer(doubt);
      if (doubt !== '') {
        asked.destroy();
        return;
      }
      for (const relay of relaying) Reflect.apply(relay, asked, [answer]);
      answer.on('data', () => {
        if (!socket.writableNeedDrain) return;
        answer.pause();
        socket.once('drain', () => answer.resume());
      });
      answer.once('close', () => {
        if (!answer.complete) onBroken(new Error('its answer ended too early'));
      });
    });
  });
}

/** All that goes to the workload from here on goes without the key: handshake, refusal and frames, by whomever written. */
function starOut(socket: Duplex, secret: string): void {
  const write = socket.write;
  const star = starring(secret);
  const bytesOf = (chunk: unknown): Buffer =>
    chunk instanceof Uint8Array ? Buffer.from(chunk) : Buffer.from(String(chunk), 'latin1');
  Object.defineProperty(socket, 'write', {
    value: (chunk: unknown, ...rest: unknown[]): unknown =>
      Reflect.apply(write, socket, [
        star(bytesOf(chunk)),
        ...rest.filter((given) => typeof given === 'function'),
      ]),
  });
}
