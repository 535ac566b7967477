/**
 * Opens a recorded connection: the intent is sealed before the provider hears of it, the provider's answer to the
 * handshake before the workload does. What is said on the connection is judged and sealed by its session.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { HoldpointError } from '../../core/errors.ts';
import { redirectDoubt } from '../../core/redirect.ts';
import type { Outcome } from '../../ledger/entry.ts';
import type { Judgement } from '../../policy/policy.ts';
import type { SocketDialect } from '../../provider/realtime/dialect.ts';
import type { UpgradeCall } from '../call.ts';
import { cutWhenEnded } from '../handshake.ts';
import type { Decision } from '../held.ts';
import type { House } from '../house.ts';
import { passed } from '../judge.ts';
import { withProviderKey } from '../provider-key.ts';
import { decisionHeader, toHoldpointError } from '../respond.ts';
import { refuseUpgrade, relayRefusal } from '../upgrade-refusal.ts';
import { handshakeDraft, socketRequestDraft } from './draft.ts';
import { judgeRequest } from './exchange.ts';
import { acceptPeer, connectPeer, type Opened, type Refused } from './peer.ts';
import { type Session, startSession } from './session.ts';
import {
  handshakeHeaders,
  offeredProtocols,
  relayedLines,
  requireHandshake,
  type SocketCall,
  socketCallOf,
} from './socket-call.ts';

/** Messages of this size pass, however low the limits of stored bodies are. */
const messageBytesMin = 16 * 1024 * 1024;

/** Opens, runs and ends one connection. Never rejects: what goes wrong refuses it and gives it an outcome. */
export async function openRealtime(
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  upgrade: UpgradeCall,
  dialect: SocketDialect,
  house: House,
  onSession: (session: Session) => () => void,
): Promise<void> {
  const reader = dialect.open(upgrade.target);
  const call = socketCallOf(upgrade, dialect.operation, reader.facts(), house.fingerprint);
  const { protocol } = call.upstream;
  let decision: Decision | null = null;
  let upstream: Opened['peer'] | null = null;
  const handshakeDone = cutWhenEnded(socket);
  const settle = (outcome: Outcome): void => {
    if (decision !== null) house.holds.settle(decision.seq, outcome);
  };
  try {
    requireHandshake(req);
    const policy = house.policy();
    const judgement = judgeHandshake(judgeRequest(policy, call.facts, [], house));
    const startedUs = house.clock.monoUs();
    const request = house.ledger.seal(socketRequestDraft(call, call.facts, [], null, judgement, policy));
    decision = { seq: request.seq, id: house.ledger.decisionId(request.seq) };
    await request.durable;
    // The intent is on disk: the provider may hear of the connection.

    if (judgement.action === 'deny') {
      settle('denied');
      const rule = judgement.matches.find((match) => match.action === 'deny');
      const error = new HoldpointError(
        'denied_by_policy',
        `The rule ${rule?.rule ?? '?'} denies this connection.`,
      );
      refuseUpgrade(socket, error, protocol, decision.id);
      return;
    }
    if (socket.destroyed) throw new HoldpointError('bad_request', 'The caller left.');
    const answer = await connect(call, socket, house);
    if ('peer' in answer) upstream = answer.peer;
    const status = 'peer' in answer ? 101 : answer.status;
    const neutral = protocol.readResponse('unknown', status, Buffer.alloc(0));
    const answered = house.ledger.seal(
      handshakeDraft(
        decision.seq,
        {
          facts: { ...neutral.facts, status },
          defects: [],
          result: 'peer' in answer ? 'ok' : 'error',
          judgement: passed,
          policy,
          elapsedUs: house.clock.monoUs() - startedUs,
        },
        'peer' in answer
          ? { statusText: 'Switching Protocols', headers: answer.headers, body: Buffer.alloc(0) }
          : answer,
      ),
    );
    await answered.durable;
    // The provider's answer is on disk: the workload may have it.

    if (!('peer' in answer)) {
      const away = redirectDoubt(answer.status, answer.headers);
      if (away !== '') throw sentElsewhere(away);
      settle((await relayRefusal(socket, answer, decision.id)) ? 'delivered' : 'client_abort');
      return;
    }
    const { id } = decision;
    handshakeDone();
    // Open as long as the connection is: what passed on it and is in no entry yet, a crash leaves as interrupted.
    settle(await converse(req, socket, head, inSession(call, id), id, answer, house, reader, onSession));
  } catch (thrown) {
    // Whatever failed, nobody listens to the provider any more.
    upstream?.cut();
    const error = toHoldpointError(thrown);
    if (error.code === 'internal') house.onError('A connection failed inside Holdpoint', thrown);
    settle(socket.destroyed ? 'client_abort' : (outcomeByCode[error.code] ?? 'interrupted'));
    refuseUpgrade(socket, error, protocol, decision?.id ?? null);
  }
}

function sentElsewhere(doubt: string): HoldpointError {
  const what = `The upstream opens no connection: ${doubt}.`;
  return new HoldpointError('upstream_unreachable', what, 'Check upstreams.*.url in the configuration.');
}

const outcomeByCode: Partial<Readonly<Record<HoldpointError['code'], Outcome>>> = {
  upstream_unreachable: 'upstream_error',
  upstream_timeout: 'upstream_error',
  ledger_unavailable: 'ledger_unavailable',
  overloaded: 'ledger_unavailable',
};

/** Nothing is asked yet, so there is nothing a person could rule on: what would hold, holds the messages to come. */
function judgeHandshake(judgement: Judgement): Judgement {
  return judgement.action === 'hold' ? { ...judgement, action: 'flag' } : judgement;
}

/** Exchanges of one connection are found by its decision, unless the workload named a session of its own. */
function inSession(call: SocketCall, id: string): SocketCall {
  return { ...call, facts: { ...call.facts, session: call.facts.session || id } };
}

function connect(call: SocketCall, socket: Duplex, house: House): Promise<Opened | Refused> {
  const { upstream } = call;
  const out = withProviderKey(upstream.key, call.target, call.headers);
  const url = upstream.origin.replace(/^http/, 'ws') + out.path;
  const way = {
    messageBytesMax: Math.max(messageBytesMin, house.bounds.responseBytesMax),
    connectMsMax: house.bounds.connectMsMax,
    agent: house.egress.agentFor(url),
  };
  const protocols = offeredProtocols(out.headers);
  return connectPeer(url, protocols, handshakeHeaders(out.headers), way, out.withheld, (abort) =>
    socket.once('close', abort),
  );
}

/** Completes the handshake and runs the session; resolves with how the connection ended. */
async function converse(
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  call: SocketCall,
  decisionId: string,
  { peer: upstream, headers }: Opened,
  house: House,
  reader: ReturnType<SocketDialect['open']>,
  onSession: (session: Session) => () => void,
): Promise<Outcome> {
  const offer = {
    protocol: upstream.protocol(),
    headers: [...relayedLines(headers), `${decisionHeader}: ${decisionId}`],
    messageBytesMax: Math.max(messageBytesMin, house.bounds.requestBytesMax),
  };
  const client = await acceptPeer(req, socket, head, offer);
  const bounds = { idleMsMax: house.bounds.socketIdleMsMax };
  const session = startSession(call, client, upstream, reader, bounds, house);
  const forget = onSession(session);
  return session.over.finally(forget);
}
