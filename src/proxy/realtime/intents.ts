/**
 * The workload's direction. What tells the model something in words is judged and sealed before it goes on, and so is
 * what makes it answer. Sound goes on at once, once what was told with it has been judged: it is sealed with the next
 * message that is, or by itself once there is much of it (see session.ts).
 */
import { HoldpointError } from '../../core/errors.ts';
import type { Judgement, Policy } from '../../policy/policy.ts';
import type { ClientReading, SocketMessage } from '../../provider/realtime/dialect.ts';
import type { Answers } from './answers.ts';
import {
  beginDelivery,
  type Exchange,
  judgeRequest,
  leaveHeld,
  orLeaveHeld,
  sealNothing,
  sealRequest,
  settle,
  settledElsewhere,
  underPolicy,
  waitForRuling,
} from './exchange.ts';
import { type Approval, approvalOf, type Link, turnTold } from './link.ts';
import { factsOn } from './socket-call.ts';

export interface Intents {
  take(message: SocketMessage, reading: ClientReading): Promise<void>;
}

export function createIntents(link: Link, answers: Answers): Intents {
  const { house, call, reader } = link;

  /** Seals everything told since the last answer, this message last. */
  function seal(
    message: SocketMessage,
    reading: ClientReading,
    judgement: Judgement,
    policy: Policy,
    way: 'passed' | 'withheld' | 'refused',
  ): Promise<Exchange> {
    const tape = link.loose().plus(message, 'client', way, link.now());
    const facts = factsOn(call, reading.facts);
    const told = { facts, defects: reading.defects, judgement, policy, tape };
    return sealRequest(call, told, house, link.takeLoose);
  }

  async function refuse(
    message: SocketMessage,
    reading: ClientReading,
    code: HoldpointError['code'],
    why: string,
  ): Promise<void> {
    const answer = reading.kind === 'media' ? null : reader.refusal(message, code, why);
    // Sound that may not go on would be refused again and again; some APIs have no word for a refusal.
    if (answer === null) throw new HoldpointError('denied_by_policy', why);
    link.tape().add(answer, 'holdpoint', 'passed', link.now());
    await link.toClient(answer);
  }

  async function deny(
    message: SocketMessage,
    reading: ClientReading,
    judgement: Judgement,
    policy: Policy,
  ): Promise<void> {
    settle(await seal(message, reading, judgement, policy, 'refused'), 'denied', house);
    if (reading.defects.length > 0) {
      await refuse(
        message,
        reading,
        'bad_request',
        `The message cannot be read: ${reading.defects.join('; ')}.`,
      );
      return;
    }
    const rule = judgement.matches.find((match) => match.action === 'deny');
    const why = `The rule ${rule?.rule ?? '?'} denies this: ${rule?.title ?? ''}.`;
    await refuse(message, reading, 'denied_by_policy', why);
  }

  /** Waits for a person; what the workload sends meanwhile waits behind. Null when the message must not go on. */
  async function hold(
    message: SocketMessage,
    reading: ClientReading,
    judgement: Judgement,
    policy: Policy,
  ): Promise<Exchange | null> {
    const exchange = await seal(message, reading, judgement, policy, 'withheld');
    const about = { phase: 'request', judgement, digest: exchange.digest, response: null } as const;
    const { hold: opened, result } = await waitForRuling(call, exchange, about, link.gone, house);
    switch (result) {
      case 'released':
        if (link.gone.aborted || link.unsent() !== null) break;
        await orLeaveHeld(exchange, opened, house, () => beginDelivery(opened, house));
        // The use of the release is on disk: the message may go out, once.
        house.holds.detach(opened);
        return underPolicy(exchange, house.policy());
      case 'denied':
        settledElsewhere(exchange, 'denied', house);
        await refuse(message, reading, 'denied_by_reviewer', 'A reviewer denied this message.');
        return null;
      case 'expired':
        settledElsewhere(exchange, 'expired', house);
        await refuse(message, reading, 'hold_expired', 'Nobody ruled on this message in time.');
        return null;
      case 'pending':
        leaveHeld(exchange, opened, house);
        // Its time is over, and that could not be sealed: the workload must not take it for sent.
        if (!link.gone.aborted)
          await refuse(message, reading, 'hold_expired', 'Nobody ruled on this message in time.');
        return null;
      case 'amended':
      case 'shutdown':
        break;
    }
    leaveHeld(exchange, opened, house);
    return null;
  }

  /** A release counts as long as the request it released has no answer. */
  function approval(policy: Policy): Approval | null {
    const known = approvalOf(link, policy);
    return known?.judgement.action === 'hold' && answers.unasked() === null ? null : known;
  }

  function approve(reading: ClientReading, judgement: Judgement, policy: Policy): void {
    reading.accept();
    link.approval = { policy, facts: reading.facts, judgement };
  }

  async function sendAsk(
    message: SocketMessage,
    reading: ClientReading,
    judgement: Judgement,
    policy: Policy,
    ruled: Exchange | null,
  ): Promise<void> {
    // The release of what was told covers the wish to have it answered.
    const earlier = judgement.action === 'hold' ? answers.unasked() : null;
    const exchange = ruled ?? earlier ?? (await sealed());
    async function sealed(): Promise<Exchange> {
      await answers.closeUnasked(null);
      return seal(message, reading, judgement, policy, 'passed');
    }
    exchange.asked = true;
    exchange.lane = reading.lane ?? '';
    if (exchange === earlier) earlier.tape.add(message, 'client', 'passed', link.now());
    else answers.expect(exchange);
    reading.accept();
    turnTold(link, reading.facts);
    await link.toUpstream(message);
  }

  /** Words, calls' results and settings: on disk before they go on, as a request from which nothing came by itself. */
  async function sendContent(
    message: SocketMessage,
    reading: ClientReading,
    judgement: Judgement,
    policy: Policy,
  ): Promise<void> {
    const exchange = await seal(message, reading, judgement, policy, 'passed');
    const lost = link.unsent();
    if (lost !== null) return settle(exchange, lost, house);
    approve(reading, judgement, policy);
    await link.toUpstream(message);
    await sealNothing(exchange, house);
  }

  return {
    take: async (message, reading) => {
      // It goes nowhere, so that there is nothing to record.
      if (link.unsent() !== null) return;
      if (!house.ledger.isWritable())
        throw new HoldpointError(
          'ledger_unavailable',
          'The ledger cannot be written, so nothing is sent on.',
        );
      const policy = house.policy();
      const known = reading.changes || reading.defects.length > 0 ? null : approval(policy);
      const facts = factsOn(call, reading.facts);
      const judgement = known?.judgement ?? judgeRequest(policy, facts, reading.defects, house);
      if (judgement.action === 'deny') return deny(message, reading, judgement, policy);
      let ruled: Exchange | null = null;
      if (judgement.action === 'hold' && known === null) {
        ruled = await hold(message, reading, judgement, policy);
        if (ruled === null) return;
        const lost = link.unsent();
        if (lost !== null) return settle(ruled, lost, house);
      }
      if (reading.kind === 'ask') return sendAsk(message, reading, judgement, policy, ruled);
      if (reading.kind === 'content' && ruled === null)
        return sendContent(message, reading, judgement, policy);
      if (ruled !== null) {
        answers.expect(ruled);
        await answers.closeUnasked(ruled);
        const lost = link.unsent();
        if (lost !== null) return answers.withdraw(ruled, lost);
      } else link.tape().add(message, 'client', 'passed', link.now());
      approve(reading, judgement, policy);
      await link.toUpstream(message);
    },
  };
}
