/**
 * One connection from handshake to close. Each side's messages are taken one at a time, in order: recorded, judged
 * where they tell the model something or carry a call, and sent on. While an answer's call waits for a person,
 * everything else goes on; while a message of the workload waits, what the workload sends after it waits too.
 */
import { HoldpointError } from '../../core/errors.ts';
import type { Outcome } from '../../ledger/entry.ts';
import type { SocketMessage, SocketReader } from '../../provider/realtime/dialect.ts';
import type { House } from '../house.ts';
import { outcomeOfFailure, stays } from '../outcome.ts';
import { toHoldpointError } from '../respond.ts';
import { createAnswers } from './answers.ts';
import { carryBeats } from './beats.ts';
import { createIntents } from './intents.ts';
import type { Link } from './link.ts';
import type { Ending, Peer } from './peer.ts';
import type { SocketCall } from './socket-call.ts';
import { createTape, type Tape } from './tape.ts';

export interface Session {
  /** Resolves when both sides are closed and everything said has its outcome, with how the connection itself ended. */
  readonly over: Promise<Outcome>;
  /** Asks both sides to leave, once the answers under way are through. */
  drain(): void;
  /** Cuts both sides. */
  cut(): void;
}

export interface SessionBounds {
  /** Silence on both sides. */
  readonly idleMsMax: number;
}

const goingAway: Ending = { code: 1001, reason: Buffer.from('holdpoint restarts') };
const silent: Ending = { code: 1001, reason: Buffer.from('idle') };
/** Of what belongs to no exchange yet. */
const looseBytesMax = 8 * 1024 * 1024;
/** From here on it is sealed as it is: a crash, after which the connection's decision is interrupted, loses no more. */
const looseBytesDue = 4 * 1024 * 1024;
const looseMsDue = 60_000;
/** The connection broke (RFC 6455 section 7.1.5); with any other code somebody closed it. */
const brokenCode = 1006;

/** Runs the session of a connection that is open on both sides. */
export function startSession(
  call: SocketCall,
  client: Peer,
  upstream: Peer,
  reader: SocketReader,
  bounds: SessionBounds,
  house: House,
): Session {
  const gone = new AbortController();
  const openedUs = house.clock.monoUs();
  let loose: Tape = createTape(looseBytesMax);
  let cancelDue: (() => void) | null = null;
  /** Resolves once what became due by itself is sealed, or cannot be. */
  let due: Promise<void> = Promise.resolve();
  let draining = false;
  /** One side closed first, or the sidecar did both: what the others' close frames say goes nowhere. */
  let closing = false;
  /** How what is still open when the connection ends has ended; the first cause stands. */
  let outcome: Outcome | null = null;
  /** Why the sidecar closed both sides; null where it did not. */
  let closedAs: Outcome | null = null;
  /** Why something that passed may be in no entry; null where all of it is. */
  let unsealed: Outcome | null = null;

  /** What is sent to a side that is closing arrives nowhere, long before that side is closed. */
  function closeClient(ending: Ending): void {
    gone.abort();
    client.close(ending);
  }
  function closeBoth(ending: Ending, why: Outcome): void {
    outcome ??= why;
    closedAs ??= why;
    closing = true;
    closeClient(ending);
    upstream.close({ code: 1000, reason: ending.reason });
  }
  function fail(thrown: unknown): void {
    const error = toHoldpointError(thrown);
    if (error.code === 'internal') house.onError('A WebSocket session failed inside Holdpoint', thrown);
    if (error.code === 'ledger_unavailable') unsealed ??= error.code;
    closeBoth(endingFor(error), error.code === 'ledger_unavailable' ? 'ledger_unavailable' : 'interrupted');
  }

  const link: Link = {
    call,
    house,
    reader,
    gone: gone.signal,
    approval: null,
    undelivered: () => (client.isOpen() ? null : (closedAs ?? 'client_abort')),
    unsent: () => (upstream.isOpen() ? null : (closedAs ?? 'upstream_truncated')),
    now: () => Math.round((house.clock.monoUs() - openedUs) / 1000),
    toClient: client.send,
    toUpstream: upstream.send,
    takeLoose: () => {
      const taken = loose;
      loose = createTape(looseBytesMax);
      cancelDue?.();
      cancelDue = null;
      return taken;
    },
    loose: () => loose,
    tape: () => answers.tape() ?? loose,
  };
  const answers = createAnswers(link, fail);
  const intents = createIntents(link, answers);

  async function pump(from: Peer, take: (message: SocketMessage) => Promise<void>): Promise<void> {
    for (let message = await from.next(); message !== null; message = await from.next()) {
      await take(message);
      if (loose.bytes > looseBytesDue) await answers.sealLoose();
      else if (loose.records.length > 0)
        cancelDue ??= house.schedule(looseMsDue, () => {
          due = answers.sealLoose().catch(fail);
        });
      if (draining && answers.idle()) closeBoth(goingAway, 'interrupted');
    }
  }

  /** The provider closes as the workload did. Why, it is not told: no rule read that. */
  function carryUp(): void {
    const ending = client.ending() ?? goingAway;
    if (!closing && ending.reason.length > 0) link.loose().addEnding(ending, 'client', 'refused', link.now());
    closing = true;
    upstream.close(withoutReason(ending));
  }

  /** Closes the workload's side as the provider did. Why is on disk before the workload hears it, or stays here. */
  async function carryDown(): Promise<void> {
    const ending = upstream.ending() ?? goingAway;
    const isHeard = !closing && client.ending() === null && ending.reason.length > 0;
    closing = true;
    if (!isHeard) return closeClient(withoutReason(ending));
    link.loose().addEnding(ending, 'server', 'passed', link.now());
    try {
      await answers.sealLoose();
      closeClient(ending);
    } catch (error) {
      unsealed ??= outcomeOfFailure(toHoldpointError(error), stays);
      if (!(error instanceof HoldpointError)) house.onError('A closing could not be sealed', error);
      closeClient(withoutReason(ending));
    }
  }

  async function sealRest(): Promise<void> {
    try {
      await answers.sealLoose();
    } catch (error) {
      unsealed ??= outcomeOfFailure(toHoldpointError(error), stays);
      house.onError('The end of a WebSocket connection could not be sealed', error);
    }
  }

  /** Who closes a connection in order has had all of it; the record may not. */
  function ownOutcome(): Outcome {
    const first = outcome === 'client_abort' ? client : outcome === 'upstream_truncated' ? upstream : null;
    if (first !== null && first.ending()?.code !== brokenCode) return unsealed ?? 'delivered';
    return outcome ?? 'interrupted';
  }

  async function run(): Promise<Outcome> {
    client.onEnding(() => {
      outcome ??= 'client_abort';
      gone.abort();
    });
    upstream.onEnding(() => {
      outcome ??= 'upstream_truncated';
    });
    carryBeats(client, upstream);
    carryBeats(upstream, client);
    const stopWatching = watchSilence([client, upstream], bounds.idleMsMax, house, () =>
      closeBoth(silent, 'interrupted'),
    );
    // Each side closes as the other did, after what that one had sent before.
    const clientSide = pump(client, (message) => intents.take(message, reader.readClient(message)))
      .catch(fail)
      .finally(carryUp);
    const upstreamSide = pump(upstream, (message) => answers.take(message, reader.readServer(message)))
      .catch(fail)
      .finally(carryDown);
    await Promise.all([clientSide, upstreamSide, ended(client), ended(upstream)]);
    stopWatching();
    cancelDue?.();
    await due;
    await answers.finish(outcome ?? 'interrupted');
    await sealRest();
    return ownOutcome();
  }

  return {
    over: run(),
    drain: () => {
      draining = true;
      if (answers.idle()) closeBoth(goingAway, 'interrupted');
    },
    cut: () => {
      client.cut();
      upstream.cut();
    },
  };
}

function withoutReason({ code }: Ending): Ending {
  return { code, reason: Buffer.alloc(0) };
}

/** Calls `onSilent` once neither side was heard of for that long. */
function watchSilence(
  peers: readonly Peer[],
  idleMsMax: number,
  house: House,
  onSilent: () => void,
): () => void {
  let heardUs = house.clock.monoUs();
  for (const peer of peers)
    peer.onActivity(() => {
      heardUs = house.clock.monoUs();
    });
  let cancel = house.schedule(idleMsMax, look);
  function look(): void {
    const leftMs = idleMsMax - (house.clock.monoUs() - heardUs) / 1000;
    if (leftMs <= 0) onSilent();
    else cancel = house.schedule(leftMs, look);
  }
  return () => cancel();
}

function ended(peer: Peer): Promise<void> {
  return new Promise((resolve) => peer.onEnding(() => resolve()));
}

const codeByError: Partial<Readonly<Record<HoldpointError['code'], number>>> = {
  denied_by_policy: 1008,
  policy_changed: 1008,
  denied_by_reviewer: 1008,
  hold_expired: 1008,
  response_too_large: 1009,
  body_too_large: 1009,
  ledger_unavailable: 1013,
  overloaded: 1013,
};

function endingFor({ code }: HoldpointError): Ending {
  return { code: codeByError[code] ?? 1011, reason: Buffer.from(code) };
}
