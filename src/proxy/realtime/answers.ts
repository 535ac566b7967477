/**
 * The provider's direction. What carries no call goes on as it comes; what carries one, and the end of every answer,
 * waits until the answer is sealed and judged, and where a rule holds it, until a person ruled.
 */
import { HoldpointError } from '../../core/errors.ts';
import type { Outcome } from '../../ledger/entry.ts';
import type { ResponseReading } from '../../provider/protocol.ts';
import type { ServerReading, SocketMessage } from '../../provider/realtime/dialect.ts';
import type { AnswerResult } from '../../record/leaf-data.ts';
import { passed } from '../judge.ts';
import { resultOfEnding } from '../outcome.ts';
import { requireRecorded } from '../relay.ts';
import {
  type Exchange,
  judgeRequest,
  sealAnswer,
  sealNothing,
  sealRequest,
  settle,
  withheldTooLarge,
} from './exchange.ts';
import { createHeldAnswers } from './held-answers.ts';
import { approvalOf, type Link, turnTold } from './link.ts';
import { factsOn } from './socket-call.ts';
import { createTape, type Tape } from './tape.ts';

export interface Answers {
  take(message: SocketMessage, reading: ServerReading): Promise<void>;
  /** A sealed request is about to be sent on: the next answer is its own. Throws `overloaded` where too many wait for theirs. */
  expect(exchange: Exchange): void;
  /** One that was expected so was not sent on after all, and why. */
  withdraw(exchange: Exchange, outcome: Outcome): void;
  /** A request that was sealed before the model was asked to answer it. */
  unasked(): Exchange | null;
  /** Closes all such requests but one, and those that may have been refused: the next answer is that of a later one. */
  closeUnasked(except: Exchange | null): Promise<void>;
  /** Of the exchange under way; null where there is none. */
  tape(): Tape | null;
  /** Seals what belongs to no exchange. */
  sealLoose(): Promise<void>;
  /** No answer is under way or expected. */
  idle(): boolean;
  /** Gives every exchange that is still open its end. */
  finish(outcome: Outcome): Promise<void>;
}

/** Requests that were sent on and whose answers have not begun. */
const waitingMax = 1_024;
/** Answers that have begun and not ended: APIs give one at a time, or as many as were asked for beside the conversation. */
const openMax = 256;

/** No answer need come: it was not asked for, or may have been refused. */
function isOver({ asked, doubted }: Exchange): boolean {
  return !asked || doubted;
}

export function createAnswers(link: Link, fail: (thrown: unknown) => void): Answers {
  const { house, call, reader } = link;
  const waiting: Exchange[] = [];
  const open = new Map<string, Exchange>();
  const held = createHeldAnswers(link, { send, deny }, fail);

  async function send(messages: readonly SocketMessage[]): Promise<void> {
    for (const message of messages) await link.toClient(message);
  }

  async function begin(reading: ServerReading): Promise<Exchange> {
    if (open.size >= openMax)
      throw new HoldpointError('overloaded', `More than ${openMax} answers have begun and not ended.`);
    if (reading.alone) return sealAside();
    if (reader.joinsAsks === true) await closeAnsweredTogether();
    const expected =
      firstWaiting(({ asked, lane }) => asked && lane === (reading.lane ?? '')) ??
      firstWaiting(({ asked }) => !asked);
    if (expected === null) return sealUnprompted();
    if (!expected.asked && link.approval !== null) turnTold(link, link.approval.facts);
    return expected;
  }

  /** What was asked before the newest question got no answer of its own, and later answers are to later questions. */
  async function closeAnsweredTogether(): Promise<void> {
    const newest = waiting.findLast(({ asked }) => asked);
    if (newest === undefined) return;
    await closeEach((exchange) => exchange.asked && waiting.indexOf(exchange) < waiting.indexOf(newest));
  }

  /** Seals of each that nothing came of it. What another message takes up or closes meanwhile is none of them any more. */
  async function closeEach(isDue: (exchange: Exchange) => boolean): Promise<void> {
    for (let due = firstWaiting(isDue); due !== null; due = firstWaiting(isDue))
      await sealNothing(due, house);
  }

  /** The first that fits of those whose answer has not begun; from now on it is under way. */
  function firstWaiting(fits: (exchange: Exchange) => boolean): Exchange | null {
    const place = waiting.findIndex(fits);
    return waiting.splice(place, place === -1 ? 0 : 1)[0] ?? null;
  }

  /** Something that stands alone: nothing was told that led to it. */
  function sealAside(): Promise<Exchange> {
    const told = { facts: factsOn(call, reader.facts()), defects: [], judgement: passed };
    return sealRequest(call, { ...told, policy: house.policy(), tape: createTape(0) }, house);
  }

  /** The model answers of its own accord, such as to speech: what it was told is sealed with that. */
  async function sealUnprompted(): Promise<Exchange> {
    const policy = house.policy();
    const said = reader.facts();
    const facts = factsOn(call, said);
    const judgement = approvalOf(link, policy)?.judgement ?? judgeRequest(policy, facts, [], house);
    const told = { facts, defects: [], judgement, policy, tape: link.loose() };
    const exchange = await sealRequest(call, told, house, link.takeLoose);
    turnTold(link, said);
    if (judgement.action !== 'hold' && judgement.action !== 'deny') return exchange;
    // The model heard what it may not be told. Its answer goes nowhere, and nothing more goes to it.
    settle(exchange, 'denied', house);
    throw new HoldpointError('denied_by_policy', 'A rule stops what was said on this connection.');
  }

  function withhold(exchange: Exchange, message: SocketMessage): void {
    exchange.withheld.push(exchange.tape.add(message, 'server', 'withheld', link.now()));
    if (exchange.tape.bytes - exchange.tape.passedBytes <= house.bounds.responseBytesMax) return;
    throw withheldTooLarge(house);
  }

  /** Judges, seals and hands over an answer that is whole. */
  async function conclude(
    exchange: Exchange,
    answer: string,
    reading: ResponseReading,
    result: AnswerResult,
  ): Promise<void> {
    const sealed = await sealAnswer(exchange, reading, result, house);
    const { action } = sealed.judgement;
    if (action === 'hold') return held.hold(exchange, answer, sealed);
    if (action === 'deny') {
      const rule = sealed.judgement.matches.find((match) => match.action === 'deny');
      settle(exchange, 'denied', house);
      return deny(
        answer,
        'denied_by_policy',
        `The rule ${rule?.rule ?? '?'} denies this: ${rule?.title ?? ''}.`,
      );
    }
    await send(exchange.withheld);
    reader.settle(answer, true);
    settle(exchange, link.undelivered() ?? 'delivered', house);
  }

  async function deny(answer: string, code: HoldpointError['code'], message: string): Promise<void> {
    const denial = reader.denial(answer, code, message);
    reader.settle(answer, false);
    for (const own of denial) link.tape().add(own, 'holdpoint', 'passed', link.now());
    await send(denial);
  }

  async function passBeside(message: SocketMessage, reading: ServerReading): Promise<void> {
    const { after, survives, besides } = reading;
    if (held.follow(after, message, survives) && !besides) return;
    link.tape().add(message, 'server', 'passed', link.now());
    await link.toClient(message);
  }

  async function closeUnasked(except: Exchange | null): Promise<void> {
    await closeEach((exchange) => isOver(exchange) && exchange !== except);
  }

  async function sealLoose(): Promise<void> {
    const tape = link.loose();
    if (tape.records.length === 0) return;
    const told = { facts: factsOn(call, reader.facts()), defects: [], judgement: passed };
    const sealed = sealRequest(call, { ...told, policy: house.policy(), tape }, house, link.takeLoose);
    await sealNothing(await sealed, house);
  }

  async function breakOff(answer: string, exchange: Exchange, outcome: Outcome): Promise<void> {
    await sealAnswer(exchange, reader.reading(answer), resultOfEnding(outcome), house);
    settle(exchange, outcome, house);
  }

  return {
    take: async (message, reading) => {
      if (!house.ledger.isWritable())
        throw new HoldpointError(
          'ledger_unavailable',
          'The ledger cannot be written, so nothing is handed over.',
        );
      const refused = reading.refuses ? firstWaiting(({ lane }) => lane === (reading.lane ?? '')) : null;
      if (refused !== null) {
        // Said of nothing that has a name yet, so its reading is empty.
        open.set('', refused);
        withhold(refused, message);
        open.delete('');
        return conclude(refused, '', reader.reading(''), 'error');
      }
      if (reading.doubts) for (const exchange of waiting) exchange.doubted = exchange.asked;
      const { answer } = reading;
      if (answer === null) return passBeside(message, reading);
      const exchange = open.get(answer) ?? (await begin(reading));
      open.set(answer, exchange);
      requireRecorded(exchange.decision, house);
      if (reading.kind === 'tool' || reading.ends || !exchange.live) withhold(exchange, message);
      else {
        exchange.tape.add(message, 'server', 'passed', link.now());
        await link.toClient(message);
      }
      if (!reading.ends) return;
      open.delete(answer);
      const said = reader.reading(answer);
      await conclude(exchange, answer, said, said.failed ? 'error' : 'ok');
    },
    expect: (exchange) => {
      waiting.push(exchange);
      if (exchange.asked && waiting.length > waitingMax)
        throw new HoldpointError('overloaded', `More than ${waitingMax} questions wait for their answers.`);
    },
    withdraw: (exchange, outcome) => {
      const place = waiting.indexOf(exchange);
      // Where an answer has begun, it is over with that.
      if (place === -1) return;
      waiting.splice(place, 1);
      settle(exchange, outcome, house);
    },
    unasked: () => waiting.find(({ asked }) => !asked) ?? null,
    closeUnasked,
    tape: () => ([...open.values()].at(-1) ?? waiting.at(-1))?.tape ?? null,
    sealLoose,
    idle: () => open.size === 0 && waiting.every(isOver),
    finish: async (outcome) => {
      await held.over();
      const unfinished = [...open];
      open.clear();
      // Whatever fails of one has its outcome all the same, and those after it must have theirs.
      const each = async (end: () => Promise<void>): Promise<void> => {
        try {
          await end();
        } catch (error) {
          house.onError('The end of a WebSocket connection could not be sealed', error);
        }
      };
      for (const [answer, exchange] of unfinished) await each(() => breakOff(answer, exchange, outcome));
      for (const exchange of waiting.splice(0))
        if (!isOver(exchange)) settle(exchange, outcome, house);
        else await each(() => sealNothing(exchange, house));
    },
  };
}
